# Makes sure that the base images are there. One that is present is used, a missing one is pulled; where no registry
# answers, stand-ins for Node, Prometheus and Alertmanager are built from Debian's packages, under names of their own,
# and Grafana, which Debian does not have, is left out. Sourced after engine.sh, never run.
# Result: NODE_IMAGE, PROMETHEUS_IMAGE and ALERTMANAGER_IMAGE name images that exist; grafana_missing is empty or says why.

standin_suite=forky
registry_silent=''
grafana_missing=''

image_present() { docker image inspect "$1" >/dev/null 2>&1; }

# ensure_image VARIABLE STANDIN: 0 when the variable names an image that is present, pulled or stood in for.
ensure_image() {
  image=$(value_of "$1")
  image_present "$image" && return 0
  # A stand-in says that no registry answered before: asking again would cost its time-out on every start. An image
  # that the caller named is always asked for.
  if is_default "$1" && [ -n "$2" ] && image_present "$2"; then
    registry_silent=1
  elif ! { is_default "$1" && [ -n "$registry_silent" ]; }; then
    run_step "pulling $image" docker pull --quiet "$image" && return 0
    is_default "$1" || fail 3 "$1=$image could not be pulled." 'Name an image that this machine can reach, or load it first: docker load --input FILE'
    registry_silent=1
  fi
  [ -n "$2" ] || return 1
  image_present "$2" || build_standin "$1" "$2"
  say "  no registry: using $2 for $image"
  eval "export $1=\$2"
}

is_default() { grep -qxF "$1=$(value_of "$1")" "$root/.env"; }

build_standin() {
  may_install && is_debian || fail 3 "$1=$image is not here and could not be pulled." \
    'Bring it: docker load --input FILE, or set the variable to a mirror that this machine reaches.' \
    "(On Debian, as root, a stand-in is built from Debian's packages.)"
  command -v mmdebstrap >/dev/null 2>&1 || {
    run_step 'apt-get install mmdebstrap' install_mmdebstrap || fail 3 'mmdebstrap could not be installed.'
  }
  case $1 in
    NODE_IMAGE) packages=ca-certificates,nodejs,npm set -- "$2" -c 'CMD ["node"]' ;;
    PROMETHEUS_IMAGE)
      packages=ca-certificates,prometheus
      set -- "$2" -c 'USER 65534:65534' -c 'WORKDIR /prometheus' -c 'ENTRYPOINT ["/usr/bin/prometheus"]'
      ;;
    ALERTMANAGER_IMAGE)
      packages=ca-certificates,prometheus-alertmanager
      set -- "$2" -c 'USER 65534:65534' -c 'WORKDIR /alertmanager' -c 'ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]'
      ;;
  esac
  run_step "building the stand-in $1 from Debian $standin_suite" standin_from_debian "$packages" "$@" ||
    fail 3 "the stand-in $1 could not be built."
}

install_mmdebstrap() {
  command -v apt-get >/dev/null && apt-get update && apt_install mmdebstrap
}

# standin_from_debian PACKAGES NAME IMPORT-OPTIONS...: a root file system straight into the engine. The data folders
# exist and belong to the user that the container runs as, because a new volume takes its owner from there.
standin_from_debian() {
  packages=$1
  name=$2
  shift 2
  archive=$(debian_archive) || return 1
  tarball=$(mktemp) || return 1
  mmdebstrap --quiet --variant=minbase --include="$packages" --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='APT::Sandbox::User "root"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='for d in prometheus alertmanager; do mkdir -p "$1/$d" && chown 65534:65534 "$1/$d"; done' \
    "$standin_suite" - "deb $archive $standin_suite main" >"$tarball" &&
    docker import "$@" "$tarball" "$name"
  result=$?
  rm -f "$tarball"
  return "$result"
}

ensure_base_images() {
  ensure_image NODE_IMAGE observability-stack/node:24-debian
  ensure_image PROMETHEUS_IMAGE observability-stack/prometheus:3-debian
  [ -z "${ALERTS:-}" ] || ensure_image ALERTMANAGER_IMAGE observability-stack/alertmanager:debian
}

ensure_grafana_image() {
  ensure_image GRAFANA_IMAGE '' || grafana_missing="no image $GRAFANA_IMAGE on this machine, and no registry answers"
}

build_images() {
  run_step 'building the API and the load generator' compose --profile load build ||
    fail 1 'an image could not be built; the last lines above say why.'
}
