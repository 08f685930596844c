# Builds fallback images of Node, Prometheus and Alertmanager from Debian's packages, under separate names, on a machine that cannot
# reach a registry. Sourced by prepare.sh.

fallback_pattern='observability-stack/*:*debian'

# Once a fallback image exists, the scripts skip the registry, so that starts do not wait for its time-out.
registry_silent=''
registry_is_silent() { [ -n "$registry_silent" ] || [ -n "$(image_names "$fallback_pattern")" ]; }

NODE_FALLBACK=observability-stack/node:24-debian
PROMETHEUS_FALLBACK=observability-stack/prometheus:3-debian
ALERTMANAGER_FALLBACK=observability-stack/alertmanager:debian
# For tests only. $fallback_pattern does not match them, because tests may build them even if a registry answers.
VICTORIA_FALLBACK=observability-stack/victoria-metrics:test
PYTHON_FALLBACK=observability-stack/python:test
fallback_name() { value_of "${1%_IMAGE}_FALLBACK"; }

# Sets each variable in $missing to its fallback image, and builds images that do not exist yet.
use_fallback_images() {
  absent=''
  for variable in $missing; do image_present "$(fallback_name "$variable")" || absent="$absent $variable=$(value_of "$variable")"; done
  [ -z "$absent" ] || build_fallback_images
  for variable in $missing; do
    say "  no registry: $(fallback_name "$variable") in place of $(value_of "$variable")"
    eval "export $variable=\$(fallback_name $variable)"
  done
}

build_fallback_images() {
  may_install && is_debian || fail 3 "images missing on this machine, and no registry answers:$absent" \
    'Load them (docker load --input FILE), or set the variables to a mirror that this machine can reach.' \
    "(On Debian, as root, fallback images are built from Debian's packages.)"
  run_step "no registry: building fallback images from Debian $debian_suite for$absent" build_absent ||
    fail 3 'a fallback image could not be built; the last lines above say why.'
}
build_absent() {
  umask 022
  of_suite check || return 1
  for variable in $absent; do build_fallback_image "${variable%%=*}" & done
  wait
  for variable in $absent; do image_present "$(fallback_name "${variable%%=*}")" || return 1; done
}

# Installs only the server, the shell, the tools that health checks and builds use, and their dependencies: not a complete Debian.
build_fallback_image() {
  name=$(fallback_name "$1") folder=$suite_folder/$1 packages='base-files base-passwd bash ca-certificates coreutils dash'
  case $1 in
    NODE_IMAGE) packages="$packages findutils grep gzip libc-bin nodejs npm sed tar" && set -- -c 'CMD ["node"]' ;;
    PROMETHEUS_IMAGE) packages="$packages prometheus sed" && set -- -c 'USER 65534:65534' -c 'WORKDIR /prometheus' -c 'ENTRYPOINT ["/usr/bin/prometheus"]' ;;
    PYTHON_IMAGE) packages="$packages python3-prometheus-client" && set -- ;;
    VICTORIA_IMAGE) packages="$packages victoria-metrics" && set -- -c 'USER 65534:65534' -c 'ENTRYPOINT ["/usr/bin/victoria-metrics"]' ;;
    *) packages="$packages prometheus-alertmanager" && set -- -c 'USER 65534:65534' -c 'WORKDIR /alertmanager' -c 'ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]' ;;
  esac
  mkdir -p "$folder/root" "$folder/archives/partial" && cd "$folder/root" || return 1
  # shellcheck disable=SC2086 # a list of words
  of_suite -o Debug::NoLocking=true -o Dir::Cache::Archives="$folder/archives" install --download-only $packages || return 1
  for package in ../archives/*.deb; do dpkg-deb --fsys-tarfile "$package"; done |
    tar -x --ignore-zeros --exclude './usr/share/doc/*' --exclude './usr/share/man/*' --exclude './usr/share/locale/*' || return 1
  # Does what the packages' installation scripts would do. The container's user owns the data folders, because a new volume inherits
  # its owner from them.
  for file in passwd group; do cp "usr/share/base-passwd/$file.master" "etc/$file"; done
  cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
  install -d -o 65534 -g 65534 prometheus alertmanager
  # Debian builds Prometheus without a web UI, so its start page redirects to a console.
  [ ! -d usr/share/prometheus ] ||
    echo '<meta http-equiv="refresh" content="0; url=consoles/query.html">' >usr/share/prometheus/web/no-ui/index.html
  tar -c . | docker import "$@" - "$name" >/dev/null && echo "built $name"
}
