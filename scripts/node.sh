# Makes sure that the development dependencies are installed, with them Node 24 (npm's package `node`). Sourced after
# engine.sh, never run. The stack itself needs none of this: its Node is in the images.

ensure_node_modules() {
  command -v npm >/dev/null 2>&1 || {
    may_install || fail 3 'no npm on this machine.' 'Install Node.js 20 or newer with npm, then run this again.' \
      '(As root on Debian or Ubuntu this is done from here; INSTALL_ENGINE=no forbids it.)'
    run_step 'apt-get install nodejs npm' apt_install nodejs npm || fail 3 'Node.js could not be installed.'
  }
  # npm writes this file last; it is older than the lock file when a change of dependencies was pulled.
  [ -z "$(find "$root/package-lock.json" -newer "$root/node_modules/.package-lock.json" 2>&1)" ] || {
    run_step 'installing the development dependencies (npm ci)' npm_ci || fail 3 'npm ci failed.'
  }
}

# Engines of packages are checked against the Node that runs them, which is npm's own `node` package, not this machine's.
npm_ci() { cd "$root" && npm ci --no-audit --no-fund --loglevel error && touch node_modules/.package-lock.json; }
