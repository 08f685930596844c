# Images for a machine that no registry answers: for Node, Prometheus and Alertmanager, made of Debian's packages, under names of their
# own. Sourced by prepare.sh.

fallback_pattern='observability-stack/*:*debian'

# Once there is a fallback image, no registry is asked any more: its time-out would be the price of each start.
registry_silent=''
registry_is_silent() { [ -n "$registry_silent" ] || [ -n "$(image_names "$fallback_pattern")" ]; }

NODE_FALLBACK=observability-stack/node:24-debian
PROMETHEUS_FALLBACK=observability-stack/prometheus:3-debian
ALERTMANAGER_FALLBACK=observability-stack/alertmanager:debian
# For tests only, so these do not show that a registry is silent.
VICTORIA_FALLBACK=observability-stack/victoria-metrics:test
PYTHON_FALLBACK=observability-stack/python:test
fallback_name() { value_of "${1%_IMAGE}_FALLBACK"; }

# Sets each of $missing to its fallback image, which is built where it is not here.
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
  may_install && is_debian || fail 3 "not here, and no registry answers:$absent" \
    'Bring them: docker load --input FILE, or set the variables to a mirror that this machine reaches.' \
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

# What runs, the shell and programs of the health checks and of builds, and what these depend on: not a whole Debian.
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
  # As the packages do when they are installed. The data folders belong to the user that the container runs as, because a new volume
  # takes its owner from there.
  for file in passwd group; do cp "usr/share/base-passwd/$file.master" "etc/$file"; done
  cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
  install -d -o 65534 -g 65534 prometheus alertmanager
  # Debian's Prometheus has no page of its own.
  [ ! -d usr/share/prometheus ] ||
    echo '<meta http-equiv="refresh" content="0; url=consoles/query.html">' >usr/share/prometheus/web/no-ui/index.html
  tar -c . | docker import "$@" - "$name" >/dev/null && echo "$name is made"
}
