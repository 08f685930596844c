#!/bin/sh
# A rolling day in the life of the stack, under load: more replicas, each restarted in turn, and as many again as there were. No
# request may fail and no count may be lost; the generator verifies it. Called by `make rolling`.
# Exit status: the generator's (0 all well, 1 a check did not hold), 1 when a step failed or outlasted the load; else as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/engine.sh"

duration=${DURATION:-180s}
replicas=${REPLICAS:-3}

# Until the load has ended, or reports what it has sent: from then on it ends with a summary.
wait_for_load() {
  while kill -0 "$load" 2>/dev/null; do
    generator=$(docker ps --quiet --filter label=com.docker.compose.service=loadgen --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME")
    [ -z "$generator" ] || ! docker logs "$generator" 2>&1 | grep -q ' sent' || return 0
    sleep 0.2
  done
}

containers() { compose ps --quiet api | sort; }

scale() { API_REPLICAS=$1 run_step "API_REPLICAS=$1 make up" "$root/scripts/stack.sh" up; }

restart() {
  docker restart "$1" || return 1
  tries=0
  until [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; do
    tries=$((tries + 1))
    [ "$tries" -le 120 ] || return 1
    sleep 1
  done
}

roll() {
  scale "$replicas" || return 1
  number=0
  for container in $(containers); do
    number=$((number + 1))
    run_step "restart of replica $number" restart "$container" || return 1
  done
  scale "$found"
}

# A Ctrl-C reaches the load by tidy_up alone: a second one would end it without a summary.
in_own_group() {
  if command -v setsid >/dev/null 2>&1; then setsid "$@"; else perl -e 'setpgrp(0, 0); exec @ARGV' "$@"; fi
}

# However this ends early, the load sums up, and there are as many replicas as before.
load=''
generator=''
tidy_up() {
  trap '' INT TERM
  if [ -n "$load" ]; then
    say 'Ending the load, and bringing back the replicas that there were.'
    wait_for_load
    docker kill --signal INT "$generator" >/dev/null 2>&1
    wait "$load"
    scale "$found"
  fi
  forget_step_log
}

require_own_project
found=$(containers | grep -c .) || fail 3 'the stack is not running.' 'Start it with: make up'
trap tidy_up EXIT

in_own_group "$root/scripts/stack.sh" load rolling --duration "$duration" --wait 120s "$@" &
load=$!
# Not before it sends: it looks at the stack first, which is then as it was.
wait_for_load
roll || exit 1
rolled=0
if ! kill -0 "$load" 2>/dev/null; then
  say "error: the load of $duration was over before the steps were; give them longer: DURATION=300s make rolling"
  rolled=1
fi
wait "$load"
status=$?
load=''
[ "$status" = 0 ] || exit "$status"
exit "$rolled"
