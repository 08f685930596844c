# Installs programs on Debian and Ubuntu, as root, from the distribution's own packages. INSTALL_ENGINE=no forbids every
# installation. Sourced.

# The Debian suite from which scripts take packages that must be newer than this machine's.
debian_suite=forky
how_to_install='As root on Debian or Ubuntu, this command installs it (unless INSTALL_ENGINE=no).'

is_debian() { grep -q '^ID=debian' /etc/os-release 2>/dev/null; }
may_install() { [ "${INSTALL_ENGINE:-yes}" != no ] && [ "$(id -u)" = 0 ] && grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release 2>/dev/null; }

# apt_install PACKAGE...: updates the package lists first, because they may be missing or outdated.
apt_install() { run_step "apt-get install $*" update_and_install "$@"; }
update_and_install() { apt-get update && install_packages "$@"; }
install_packages() {
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@"
}

# Prints the URL of the archive from which this machine's apt gets Debian itself (not the security archive).
debian_archive() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | sort -u | head -n 1 | grep .
}

# of_suite WORD...: runs apt-get for packages of the later suite. Its separate configuration neither changes the machine's apt
# configuration nor depends on it. Its lists are downloaded once and removed when this script ends (tidy_console).
suite_folder=/var/cache/observability-stack.$$
of_suite() {
  if [ ! -d "$suite_folder/lists" ]; then
    # Without package lists, apt does not report its archive.
    archive=$(debian_archive) || { apt-get update && archive=$(debian_archive); } || return 1
    mkdir -p "$suite_folder/lists/partial" "$suite_folder/archives/partial"
    # Marks packages as installed that others need only for their installation scripts (which do not run), to build native modules,
    # for tests and bundling, or to suggest corrections of mistyped commands. They would double the number of npm's packages.
    printf 'Package: %s\nStatus: install ok installed\nVersion: 9999\nArchitecture: all\n\n' \
      adduser debconf node-gyp node-istanbul webpack node-fastest-levenshtein >"$suite_folder/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $debian_suite main" >"$suite_folder/sources.list"
    of_suite -o APT::Update::Error-Mode=any update || { rm -rf "$suite_folder/lists" && return 1; }
  fi
  apt-get --yes --no-install-recommends -o Dir::Etc::SourceList="$suite_folder/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$suite_folder/lists" -o Dir::State::status="$suite_folder/status" -o Dir::Cache="$suite_folder" \
    -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}

# unpack_from_debian FOLDER PACKAGE...: copies from each package of the later suite the program of the same name into FOLDER, without
# installing the package.
unpack_from_debian() { run_step "unpacking $(shift && echo "$*") from Debian $debian_suite" unpack_programs "$@"; }
unpack_programs() {
  umask 022
  folder=$1 && shift
  mkdir -p "$folder" "$suite_folder" && (cd "$suite_folder" && of_suite download "$@") || return 1
  for package; do
    dpkg-deb -x "$suite_folder/$package"_*.deb "$suite_folder/$package" &&
      install -m 755 "$(find "$suite_folder/$package/usr" -type f -name "$package" -perm -u+x | head -n 1)" "$folder/$package" || return 1
  done
}

# Installs the development dependencies, including Node 24 (npm's package `node`). The stack itself needs none: its images contain Node.
ensure_node_modules() {
  command -v npm >/dev/null 2>&1 || { may_install && apt_install nodejs npm; } ||
    fail 3 'no npm on this machine.' 'Install Node.js 20 or newer with npm, then run this again.' "$how_to_install"
  # npm writes this file last. If it is older than the lock file, a pull has changed the dependencies.
  [ -z "$(find "$root/package-lock.json" -newer "$root/node_modules/.package-lock.json" 2>&1)" ] ||
    run_step 'installing the development dependencies (npm ci)' npm_ci || fail 3 'npm ci failed.'
}
npm_ci() { cd "$root" && npm ci --no-audit --no-fund --loglevel error && touch node_modules/.package-lock.json; }

# Both print the program's path, if it is available. kubernetes/ needs kustomize 5, which kubectl includes from 1.27 on.
ensure_chromium() {
  for name in chromium chromium-browser google-chrome google-chrome-stable; do ! command -v "$name" || return 0; done
  may_install && is_debian && apt_install chromium && command -v chromium
}
ensure_kubectl() {
  command -v "${KUBECTL:-kubectl}" || { may_install && is_debian && unpack_from_debian /usr/local/bin kubectl && command -v kubectl; }
}
