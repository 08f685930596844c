#!/bin/sh
# Replicas that come, restart and go under load: more of them, each restarted in turn, and as many again as there were. No request may
# fail and no count may be lost; the generator verifies it. Exit status: the generator's, 1 when a step failed or outlasted the
# load; else as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"
duration=${DURATION:-180s}

containers() { compose ps --quiet api | sort; }
scale() { API_REPLICAS=$1 run_step "API_REPLICAS=$1 make up" "$root/scripts/stack.sh" up; }

# Until the load has ended, or reports what it has sent: from then on it ends with a summary.
wait_for_load() {
  while kill -0 "$load" 2>/dev/null; do
    generator=$(docker ps --quiet --filter label=com.docker.compose.service=loadgen --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME")
    [ -z "$generator" ] || ! docker logs "$generator" 2>&1 | grep -q ' sent' || return 0
    sleep 0.2
  done
}

restart() {
  docker restart "$1" || return 1
  for _ in $(seq 120); do
    [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" != healthy ] || return 0
    sleep 1
  done
  return 1
}

roll() {
  scale "${REPLICAS:-3}" || return 1
  number=0
  for container in $(containers); do
    number=$((number + 1))
    run_step "restart of replica $number" restart "$container" || return 1
  done
  scale "$found"
}

# However this ends early, the load sums up, and there are as many replicas as before.
load=''
tidy_up() {
  trap '' INT TERM
  tidy_console
  [ -n "$load" ] || return
  say 'Ending the load, and bringing back the replicas that there were.'
  wait_for_load
  docker kill --signal INT "$generator" >/dev/null 2>&1
  wait "$load"
  scale "$found"
  tidy_console
}

require_running api
found=$(containers | grep -c .)
trap tidy_up EXIT
# In a group of its own, so that a Ctrl-C reaches it from tidy_up alone: a second one would end it without a summary.
in_own_group() { if command -v setsid >/dev/null 2>&1; then setsid "$@"; else perl -e 'setpgrp(0, 0); exec @ARGV' "$@"; fi; }
in_own_group "$root/scripts/stack.sh" load rolling --duration "$duration" --wait 120s "$@" &
load=$!
wait_for_load
roll || exit 1
kill -0 "$load" 2>/dev/null || late="the load of $duration was over before the steps were; give them longer: DURATION=300s make rolling"
wait "$load"
status=$?
load=''
[ "$status" = 0 ] || exit "$status"
[ -z "${late:-}" ] || fail 1 "$late"
