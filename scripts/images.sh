# Makes sure that the base images are there. One that is present is used, a missing one is pulled; where no registry
# answers, stand-ins for Node, Prometheus and Alertmanager are built from Debian's packages, under names of their own,
# and Grafana, which Debian does not have, is left out. Sourced after engine.sh, never run.
# Result: NODE_IMAGE, PROMETHEUS_IMAGE and ALERTMANAGER_IMAGE name images that exist, PROMETHEUS_FEATURES is what that Prometheus
# needs; grafana_missing is empty or says why.

registry_silent=''
grafana_missing=''

image_present() { docker image inspect "$1" >/dev/null 2>&1; }

is_default() { grep -qxF "$1=$(value_of "$1")" "$root/.env"; }

# obtain_image VARIABLE [STAND-IN]: 0 when the image that the variable names is here or could be pulled.
# An existing stand-in says that no registry answered before: asking again would cost its time-out on every start. An
# image that the caller named is always asked for, and nothing takes its place.
obtain_image() {
  image=$(value_of "$1")
  image_present "$image" && return 0
  if is_default "$1"; then
    if [ -n "${2:-}" ] && image_present "$2"; then registry_silent=1; fi
    [ -z "$registry_silent" ] || return 1
  fi
  STEP_TAIL=1 run_step "pulling $image" docker pull --quiet "$image" && return 0
  is_default "$1" || fail 3 "$1=$image could not be pulled." 'Name an image that this machine can reach, or load it first: docker load --input FILE'
  registry_silent=1
  return 1
}

# What stands in for each image: its name, Debian's packages, and how the container starts.
standin_name() {
  case $1 in
    NODE_IMAGE) echo observability-stack/node:24-debian ;;
    PROMETHEUS_IMAGE) echo observability-stack/prometheus:3-debian ;;
    ALERTMANAGER_IMAGE) echo observability-stack/alertmanager:debian ;;
  esac
}

import_standin() {
  set -- "$1" "$(standin_name "$1")"
  case $1 in
    NODE_IMAGE) standin_from_debian nodejs,npm "$2" -c 'CMD ["node"]' ;;
    PROMETHEUS_IMAGE)
      standin_from_debian prometheus "$2" \
        -c 'USER 65534:65534' -c 'WORKDIR /prometheus' -c 'ENTRYPOINT ["/usr/bin/prometheus"]'
      ;;
    ALERTMANAGER_IMAGE)
      standin_from_debian prometheus-alertmanager "$2" \
        -c 'USER 65534:65534' -c 'WORKDIR /alertmanager' -c 'ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]'
      ;;
  esac
}

# standin_from_debian PACKAGES NAME IMPORT-OPTIONS...: a root file system straight into the engine. The data folders
# exist and belong to the user that the container runs as, because a new volume takes its owner from there.
standin_from_debian() {
  packages=ca-certificates,$1
  name=$2
  shift 2
  archive=$(debian_archive) || return 1
  tarball=$(mktemp) || return 1
  # Nothing is lost with a root file system that is thrown away: dpkg need not wait for the disk.
  mmdebstrap --variant=minbase --include="$packages" --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='APT::Sandbox::User "root"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='for d in prometheus alertmanager; do mkdir -p "$1/$d" && chown 65534:65534 "$1/$d"; done' \
    "$debian_suite" - "deb $archive $debian_suite main" >"$tarball" &&
    docker import "$@" "$tarball" "$name"
  result=$?
  rm -f "$tarball"
  return "$result"
}

# What containers are given to read, whose users are others than this one: their user's rights are the ones of all others.
mounted='prometheus grafana/grafana.ini grafana/provisioning grafana/dashboards docs/tutorial'
ensure_readable() (
  cd "$root" || exit 1
  # shellcheck disable=SC2086 # a list of words
  hidden=$(find $mounted \( -type d ! -perm -005 -o -type f ! -perm -004 \) -print) && [ -z "$hidden" ] && return
  say 'Making the configuration readable for the users of the containers (chmod a+rX), which the umask of this clone forbade.'
  # shellcheck disable=SC2086 # a list of words
  chmod -R a+rX $mounted 2>/dev/null || fail 1 "the containers' users may not read $root/$(printf '%s' "$hidden" | head -n 1)." \
    "As the owner of the files: cd $root && chmod -R a+rX $mounted"
)

ensure_base_images() {
  ensure_readable || exit
  wanted=''
  missing=''
  for variable in NODE_IMAGE PROMETHEUS_IMAGE ${ALERTS:+ALERTMANAGER_IMAGE}; do
    standin=$(standin_name "$variable")
    obtain_image "$variable" "$standin" && continue
    wanted="$wanted $variable"
    image_present "$standin" || missing="$missing $variable"
  done
  [ -z "$missing" ] || build_standins
  for variable in $wanted; do
    say "  no registry: $(standin_name "$variable") stands in for $(value_of "$variable")"
    eval "export $variable=\$(standin_name $variable)"
  done
  # The default image has what it needs in .env.
  is_default PROMETHEUS_IMAGE && return
  PROMETHEUS_FEATURES=$("$root/scripts/prometheus-features.sh" "$PROMETHEUS_IMAGE" "$PROMETHEUS_FEATURES") ||
    fail 3 "PROMETHEUS_IMAGE=$PROMETHEUS_IMAGE does not say which version of Prometheus it has."
}

build_standins() {
  may_install && is_debian || fail 3 "not here, and no registry answers:$(for variable in $missing; do printf ' %s=%s' "$variable" "$(value_of "$variable")"; done)" \
    'Bring them: docker load --input FILE, or set the variables to a mirror that this machine reaches.' \
    "(On Debian, as root, stand-ins are built from Debian's packages.)"
  command -v mmdebstrap >/dev/null 2>&1 ||
    run_step 'apt-get install mmdebstrap' apt_install mmdebstrap || fail 3 'mmdebstrap could not be installed.'
  # shellcheck disable=SC2086 # a list of words
  run_step "no registry: building stand-ins from Debian $debian_suite for$missing" at_once import_standin $missing ||
    fail 3 'a stand-in could not be built; the last lines above say why.'
}

ensure_grafana_image() {
  obtain_image GRAFANA_IMAGE || grafana_missing="no image $GRAFANA_IMAGE on this machine, and no registry answers"
}

# Not by Compose, which labels an image with the project that built it: every container of that image, a test's for
# instance, would then pass for one of the project's own.
build_image() {
  docker build --target "$1" --build-arg "NODE_IMAGE=$NODE_IMAGE" --secret "id=ca,src=$BUILD_CA_FILE" \
    --progress plain --tag "$COMPOSE_PROJECT_NAME/$1" "$root"
}

build_images() {
  run_step 'building the API and the load generator' at_once build_image app loadgen ||
    fail 1 'an image could not be built; the last lines above say why.'
}

image_names() { docker image ls --format '{{.Repository}}:{{.Tag}}' --filter "reference=$1" | grep -v '<none>'; }

# By name: another clone's may be the same image. All clones share the stand-ins; the last one removes them. Pulled images stay.
remove_own_images() {
  standins=''
  image_names '*/loadgen' | grep -qv "^$COMPOSE_PROJECT_NAME/" || standins='observability-stack/*:*debian'
  # shellcheck disable=SC2046 # a list of words
  set -- $(for pattern in "$COMPOSE_PROJECT_NAME/app*" "$COMPOSE_PROJECT_NAME/loadgen" $standins; do image_names "$pattern"; done)
  [ $# = 0 ] || run_step 'removing the built images' docker image rm --force "$@"
}
