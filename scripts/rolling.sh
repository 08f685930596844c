#!/bin/sh
# A rolling day in the life of the stack, under load: more replicas, each restarted in turn, and one again. No request may
# fail and no count may be lost; the generator proves it. Called by `make rolling`.
# Exit status: the generator's (0 all well, 1 a check did not hold), 1 when a step failed or outlasted the load.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"

duration=${DURATION:-180s}
replicas=${REPLICAS:-3}

sending() {
  docker ps --quiet --filter label=com.docker.compose.service=loadgen \
    --filter "label=com.docker.compose.project=${COMPOSE_PROJECT_NAME:-observability-stack}"
}

containers() { compose ps --quiet api | sort; }

# Existing replicas stay as they are: only their number changes.
scale() {
  run_step "$1 replica(s)" compose up --detach --no-build --no-deps --no-recreate --wait --wait-timeout 120 --scale api="$1" api
}

wait_healthy() {
  tries=0
  until [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; do
    tries=$((tries + 1))
    [ "$tries" -le 120 ] || return 1
    sleep 1
  done
}

restart() { docker restart "$1" && wait_healthy "$1"; }

roll() {
  scale "$replicas" || return 1
  number=0
  for container in $(containers); do
    number=$((number + 1))
    run_step "restart of replica $number" restart "$container" || return 1
  done
  scale 1
}

API_REPLICAS=$replicas
widen_port_ranges

"$root/scripts/stack.sh" load rolling --duration "$duration" --wait 120s "$@" &
load=$!
# Not before it sends: it looks at the stack first, which is then as it was.
until [ -n "$(sending)" ] || ! kill -0 "$load" 2>/dev/null; do sleep 0.2; done
roll
rolled=$?
if ! kill -0 "$load" 2>/dev/null; then
  say "error: the load of $duration was over before the steps were; give them longer: DURATION=300s make rolling"
  rolled=1
fi
wait "$load" || exit $?
exit "$rolled"
