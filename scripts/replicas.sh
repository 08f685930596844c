# Scales the API. Each replica has its own host ports: the n-th replica uses the n-th of the API's ports, so that the first port always
# belongs to a replica. Sourced.

# with_ports OFFSET COMMAND...: runs COMMAND with the ports of the replica OFFSET positions after the first.
with_ports() (
  offset=$1 && shift
  for name in $replica_ports; do export "$name=$(($(value_of "$name") + offset))"; done
  "$@"
)

# Adds missing replicas up to API_REPLICAS, and removes surplus and outdated ones. Keeps replicas with the current image and settings
# (compared by Compose's hash).
scale_api() {
  missing=$(seq 0 $((API_REPLICAS - 1)))
  unwanted=''
  image=$(docker image inspect --format '{{.Id}}' "$COMPOSE_PROJECT_NAME/app") || return 1
  for id in $(compose ps --all --quiet api); do
    # shellcheck disable=SC2046 # a list of words
    set -- $(docker inspect --format '{{index .Config.Labels "com.docker.compose.image"}} {{index .Config.Labels "com.docker.compose.config-hash"}}
      {{with index .HostConfig.PortBindings "8000/tcp"}}{{(index . 0).HostPort}}{{end}}' "$id")
    offset=$((${3:-0} - METRICS_HOST_PORT))
    if echo "$missing" | grep -qx -e "$offset" && [ "$1 api $2" = "$image $(with_ports "$offset" compose config --hash api)" ]; then
      missing=$(echo "$missing" | grep -vx -e "$offset")
    else
      unwanted="$unwanted $id"
    fi
  done
  # shellcheck disable=SC2086 # a list of words
  [ -z "$unwanted" ] || { docker stop $unwanted && docker rm --volumes $unwanted; } || return 1
  count=$(($(compose ps --all --quiet api | grep -c .)))
  for offset in $missing; do
    count=$((count + 1))
    with_ports "$offset" up_as_it_is --scale "api=$count" api || return 1
  done
  up_as_it_is --wait --wait-timeout 120 --scale "api=$count" api
}

up_as_it_is() { compose up --detach --no-build --no-deps --no-recreate "$@"; }
