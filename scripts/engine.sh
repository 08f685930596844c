# Makes sure that a container engine with Compose v2 and Buildx answers. An engine that is there is used as it is; where
# none is, a Debian or Ubuntu machine on which this runs as root gets one from its own distribution. Sourced, never run.
# INSTALL_ENGINE=no forbids every installation. Deliberately left out: any other distribution, and rootless engines.

compose_minimum=2.20
# What is taken from Debian beside this machine's own packages comes from this suite.
debian_suite=forky

is_debian_like() { grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release 2>/dev/null; }
is_debian() { grep -q '^ID=debian' /etc/os-release 2>/dev/null; }
may_install() { [ "${INSTALL_ENGINE:-yes}" != no ] && [ "$(id -u)" = 0 ] && is_debian_like; }

engine_answers() { engine_error=$(docker version --format '{{.Server.Version}}' 2>&1 >/dev/null); }

# The engine that was asked for by name, if one was: no other takes its place.
chosen_engine() {
  if [ -n "${DOCKER_HOST:-}" ]; then
    echo " at DOCKER_HOST=$DOCKER_HOST"
  elif [ -n "${DOCKER_CONTEXT:-}" ]; then
    echo " in DOCKER_CONTEXT=$DOCKER_CONTEXT"
  elif command -v docker >/dev/null 2>&1; then
    context=$(docker context inspect --format '{{.Name}}' 2>/dev/null)
    [ "$context" = default ] || echo " in the current Docker context${context:+ \"$context\"}"
  fi
}

is_refused() { case $engine_error in *[Pp]'ermission denied'*) ;; *) return 1 ;; esac; }
may_start_engine() { ! is_refused && [ -z "$(chosen_engine)" ] && may_install; }

# refuse_engine HINT...: after engine_answers has failed.
refuse_engine() {
  chosen=$(chosen_engine)
  reason=$(printf '%s' "$engine_error" | tail -n 1)
  ! is_refused || fail 6 "this user may not use the container engine$chosen." "$reason" \
    'Add the user to its group (sudo usermod -aG docker "$USER", then log in again) or run make as root.'
  [ -z "$chosen" ] || set -- 'Start that engine, or choose another one.'
  fail 5 "no container engine answers$chosen." "$reason" "$@"
}

require_engine() { engine_answers || refuse_engine 'If it is installed, start it. Where there is none yet, make up says how to get one.'; }

# A clone is a project of its own: no command touches what another folder has started under the same name, nor its data. Of
# an owner that only the data names, the folder has to be there still.
# require_own_project [FOLDER]: where the Compose file is, if not at the root.
# shellcheck disable=SC2120,SC3013 # tutorial.sh gives a folder; dash, bash and BusyBox have -ef
require_own_project() {
  is_project_name "$COMPOSE_PROJECT_NAME" || fail 2 "$(expected_project_name)"
  require_engine
  owner=$(owners | while read -r kind folder; do
    [ -z "$folder" ] || [ "$folder" -ef "${1:-$root}" ] || { [ "$kind" = data ] && is_gone "$folder"; } || { echo "$folder" && break; }
  done)
  [ -z "$owner" ] || fail 7 "the stack \"$COMPOSE_PROJECT_NAME\" belongs to another folder: $owner" \
    'Nothing was done. A clone of its own has its own name and host ports, in its .env or before each command:' \
    "COMPOSE_PROJECT_NAME=$COMPOSE_PROJECT_NAME-2$(for name in $port_names; do
      first=$(value_of "$name") && echo " $name=$(other_port "${first%%-*}")"
    done | tr -d '\n') make up" \
    "If that folder was moved here: docker compose --project-name $COMPOSE_PROJECT_NAME down"
}

# A folder that this user may not see, in another user's home for instance, is not gone.
is_gone() {
  [ ! -d "$1" ] || return 1
  above=$(dirname -- "$1")
  while [ ! -d "$above" ]; do above=$(dirname -- "$above"); done
  [ -x "$above" ]
}

folder_label=observability-stack.folder
owners() {
  docker ps --all --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
    --format 'containers {{.Label "com.docker.compose.project.working_dir"}}'
  docker volume inspect --format "data {{index .Labels \"$folder_label\"}}" "${COMPOSE_PROJECT_NAME}_prometheus-data" 2>/dev/null
}

# The volume is Compose's in all but who made it, and names its folder: the data outlives the containers.
claim_data() {
  docker volume create --label "$folder_label=$root" --label "com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
    --label com.docker.compose.volume=prometheus-data "${COMPOSE_PROJECT_NAME}_prometheus-data" >/dev/null ||
    fail 1 "the volume for Prometheus' data could not be made."
}

why_no_install() {
  if [ "${INSTALL_ENGINE:-yes}" = no ]; then
    printf 'INSTALL_ENGINE=no forbids installing one.'
  elif ! is_debian_like; then
    printf 'Only on Debian and Ubuntu can it be installed from here.'
  else
    printf 'Run as root, this would install it (apt-get install docker.io).'
  fi
}

ensure_engine() {
  if ! engine_answers; then
    may_start_engine ||
      refuse_engine 'Install and start Docker Engine 20.10 or newer (https://docs.docker.com/engine/install/), then run this again.' \
        "$(why_no_install)"
    command -v dockerd >/dev/null 2>&1 || install_engine
    start_engine
  fi
  ensure_plugin compose
  ensure_plugin buildx
  check_compose_version
}

install_engine() {
  say 'No container engine on this machine: installing Docker Engine from the distribution (INSTALL_ENGINE=no forbids it).'
  run_step 'apt-get install docker.io' apt_install docker.io iptables ||
    fail 5 'Docker Engine could not be installed: the package archive must be reachable.'
}

# The engine's own session and log file: it outlives this script and holds none of its output open, nor its lock.
start_engine() {
  if [ -d /run/systemd/system ]; then
    run_step 'starting the container engine' systemctl start docker || fail 5 'systemctl start docker failed.'
  else
    say 'Starting the container engine (log: /var/log/dockerd.log).'
    # Left by one that was killed, they would stop the new one as soon as another process has the number in them.
    is_running_program dockerd || rm -f /var/run/docker.pid /var/run/docker/containerd/containerd.pid
    setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null 9>&- &
  fi
  run_step 'waiting for the container engine' wait_for_engine || {
    tail -n 15 /var/log/dockerd.log >&2 2>/dev/null
    fail 5 'the container engine did not answer within 60 s.'
  }
}

wait_for_engine() {
  tries=0
  until engine_answers; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || return 1
    sleep 0.5
  done
}

# The lists first: a machine may have none yet, or old ones that name what is gone.
apt_install() {
  apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@"
}

ensure_plugin() {
  docker "$1" version >/dev/null 2>&1 && return 0
  may_install || fail 3 "the Docker CLI has no \"$1\" plugin." \
    "Install it (https://docs.docker.com/$([ "$1" = compose ] && echo compose/install || echo build/install-buildx)/), then run this again." \
    "$(why_no_install)"
  if is_debian; then
    run_step "installing the Docker CLI plugin \"$1\" from Debian $debian_suite" plugin_from_debian "$1"
  else
    run_step "installing the Docker CLI plugin \"$1\"" apt_install "docker-$1$([ "$1" = compose ] && echo -v2)"
  fi
  docker "$1" version >/dev/null 2>&1 || fail 3 "the Docker CLI plugin \"$1\" could not be installed."
}

# Debian 12 has neither plugin; those of a later suite run on it.
plugin_folder=/usr/local/lib/docker/cli-plugins
plugin_from_debian() { unpack_from_debian "docker-$1" "docker-$1" "$plugin_folder"; }

# unpack_from_debian PACKAGE PROGRAM FOLDER: one program of a package of the later suite. It is unpacked, not installed, with an
# apt configuration of its own, so that nothing of the machine's apt set-up changes, nor matters.
unpack_from_debian() {
  umask 022
  archive=$(debian_archive) || return 1
  work=$(mktemp -d) || return 1
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root" "$3"
  : >"$work/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $debian_suite main" >"$work/sources.list"
  private_apt() {
    apt-get -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
      -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache="$work" \
      -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none "$@"
  }
  private_apt update && (cd "$work" && private_apt download "$1") &&
    dpkg -x "$work"/"$1"_*.deb "$work/root" &&
    install -m 755 "$(find "$work/root/usr" -type f -name "$2" -perm -u+x | head -n 1)" "$3/$2"
  result=$?
  rm -rf "$work"
  return "$result"
}

# The archive that this machine already uses for Debian itself (not the security archive), read from apt, never written down.
debian_archive() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | sort -u | head -n 1 | grep .
}

check_compose_version() {
  version=$(docker compose version --short 2>/dev/null | tr -d v)
  oldest=$(printf '%s\n%s\n' "$compose_minimum" "${version%%[!0-9.]*}" | sort -t. -k1,1n -k2,2n | head -n 1)
  [ "$oldest" = "$compose_minimum" ] || fail 3 "expected Docker Compose $compose_minimum or newer, found $version." 'Update it, then run this again.'
}
