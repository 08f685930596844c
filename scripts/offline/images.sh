# Images for a machine that no registry answers: for Node, Prometheus and Alertmanager, made of Debian's packages, under names of their
# own. Sourced by prepare.sh.

fallback_pattern='observability-stack/*:*debian'

# Once there is a fallback image, no registry is asked any more: its time-out would be the price of each start.
registry_silent=''
registry_is_silent() { [ -n "$registry_silent" ] || [ -n "$(image_names "$fallback_pattern")" ]; }

NODE_FALLBACK=observability-stack/node:24-debian
PROMETHEUS_FALLBACK=observability-stack/prometheus:3-debian
ALERTMANAGER_FALLBACK=observability-stack/alertmanager:debian
# Of tests alone, and so no sign that a registry is silent.
VICTORIA_FALLBACK=observability-stack/victoria-metrics:test
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
  command -v mmdebstrap >/dev/null 2>&1 || apt_install mmdebstrap || fail 3 'mmdebstrap could not be installed.'
  run_step "no registry: building fallback images from Debian $debian_suite for$absent" build_absent ||
    fail 3 'a fallback image could not be built; the last lines above say why.'
}
# All at the same time.
build_absent() {
  for variable in $absent; do build_fallback_image "${variable%%=*}" & done
  wait
  for variable in $absent; do image_present "$(fallback_name "${variable%%=*}")" || return 1; done
}

build_fallback_image() {
  case $1 in
    NODE_IMAGE) packages=nodejs,npm && set -- "$1" -c 'CMD ["node"]' ;;
    PROMETHEUS_IMAGE) packages='prometheus' && set -- "$1" -c 'WORKDIR /prometheus' -c 'ENTRYPOINT ["/usr/bin/prometheus"]' ;;
    VICTORIA_IMAGE) packages='victoria-metrics' && set -- "$1" -c 'ENTRYPOINT ["/usr/bin/victoria-metrics"]' ;;
    *) packages='prometheus-alertmanager' && set -- "$1" -c 'WORKDIR /alertmanager' -c 'ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]' ;;
  esac
  [ "$1" = NODE_IMAGE ] || set -- "$@" -c 'USER 65534:65534'
  name=$(fallback_name "$1")
  shift
  archive=$(debian_archive) && tarball=$(mktemp) || return 1
  # The data folders belong to the user that the container runs as, because a new volume takes its owner from there. Nothing is
  # lost with a root file system that is thrown away: dpkg need not wait for the disk.
  mmdebstrap --variant=minbase --include="ca-certificates,$packages" --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='APT::Sandbox::User "root"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='for d in prometheus alertmanager; do mkdir -p "$1/$d" && chown 65534:65534 "$1/$d"; done' \
    "$debian_suite" - "deb $archive $debian_suite main" >"$tarball" && docker import "$@" "$tarball" "$name"
  rm -f "$tarball"
}
