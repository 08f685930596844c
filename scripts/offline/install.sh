# Installs programs on Debian and Ubuntu, as root, from the distribution's own packages. INSTALL_ENGINE=no forbids every
# installation. Sourced.

# What is newer than this machine's own packages comes from this suite.
debian_suite=forky
how_to_install='Run as root on Debian or Ubuntu, this would install it (INSTALL_ENGINE=no forbids that).'

is_debian() { grep -q '^ID=debian' /etc/os-release 2>/dev/null; }
may_install() { [ "${INSTALL_ENGINE:-yes}" != no ] && [ "$(id -u)" = 0 ] && grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release 2>/dev/null; }

# apt_install PACKAGE...: with the lists first, because a machine may have none yet, or old ones.
apt_install() {
  run_step "apt-get install $*" sh -c 'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@"' sh "$@"
}

# The archive that this machine already uses for Debian itself (not the security archive), read from apt, never written down.
debian_archive() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | sort -u | head -n 1 | grep .
}

# unpack_from_debian PACKAGE FOLDER: the program of that name, of a package of the later suite. It is unpacked, not installed, with an apt
# configuration of its own, so that nothing of the machine's apt set-up changes, nor matters.
unpack_from_debian() { run_step "unpacking $1 from Debian $debian_suite" unpack "$@"; }
unpack() {
  package=$1 folder=$2
  umask 022
  archive=$(debian_archive) && work=$(mktemp -d) || return 1
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root" "$folder"
  : >"$work/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $debian_suite main" >"$work/sources.list"
  set -- -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache="$work" \
    -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none
  apt-get "$@" update && (cd "$work" && apt-get "$@" download "$package") && dpkg -x "$work/$package"_*.deb "$work/root" &&
    install -m 755 "$(find "$work/root/usr" -type f -name "$package" -perm -u+x | head -n 1)" "$folder/$package"
}

# Development dependencies, Node 24 among them (npm's package `node`). The stack itself needs none: its Node is in the images.
ensure_node_modules() {
  command -v npm >/dev/null 2>&1 || { may_install && apt_install nodejs npm; } ||
    fail 3 'no npm on this machine.' 'Install Node.js 20 or newer with npm, then run this again.' "$how_to_install"
  # npm writes this file last; it is older than the lock file when a change of dependencies was pulled.
  [ -z "$(find "$root/package-lock.json" -newer "$root/node_modules/.package-lock.json" 2>&1)" ] ||
    run_step 'installing the development dependencies (npm ci)' npm_ci || fail 3 'npm ci failed.'
}
npm_ci() { cd "$root" && npm ci --no-audit --no-fund --loglevel error && touch node_modules/.package-lock.json; }

# These print the path of the program, if there is one now. kubectl brings kustomize 5 since 1.27, which kubernetes/ needs.
ensure_chromium() {
  for name in chromium chromium-browser google-chrome google-chrome-stable; do ! command -v "$name" || return 0; done
  may_install && is_debian && apt_install chromium && command -v chromium
}
ensure_kubectl() {
  command -v "${KUBECTL:-kubectl}" || { may_install && is_debian && unpack_from_debian kubectl /usr/local/bin && command -v kubectl; }
}
