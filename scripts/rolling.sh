#!/bin/sh
# Changes replicas under load: adds some, restarts them one by one, and returns to the initial number. No request may fail and no count
# may be lost, which the generator verifies. Exit status: the generator's; 1 if a step failed or took longer than the load; otherwise
# as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"
duration=${DURATION:-180s}

containers() { compose ps --quiet api | sort; }
scale() { API_REPLICAS=$1 run_step "API_REPLICAS=$1 make up" "$root/scripts/stack.sh" up; }

# Waits until the load has ended or reports progress. From then on, an interrupted load prints a summary.
wait_for_load() {
  while kill -0 "$load" 2>/dev/null; do
    generator=$(docker ps --quiet --filter label=com.docker.compose.service=loadgen --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME")
    [ -z "$generator" ] || ! docker logs "$generator" 2>&1 | grep -q ' sent' || return 0
    sleep 0.2
  done
}

is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; }
restart() { docker restart "$1" && wait_until 120 is_healthy "$1"; }

roll() {
  scale "${REPLICAS:-3}" || return 1
  number=0
  for container in $(containers); do
    number=$((number + 1))
    run_step "restart of replica $number" restart "$container" || return 1
  done
  scale "$found"
}

# If the script ends early, lets the load print its summary, and restores the number of replicas.
load=''
tidy_up() {
  trap '' INT TERM
  tidy_console
  [ -n "$load" ] || return
  say 'Stopping the load and restoring the number of replicas.'
  wait_for_load
  docker kill --signal INT "$generator" >/dev/null 2>&1
  wait "$load"
  scale "$found"
  tidy_console
}

require_running api
found=$(containers | grep -c .)
trap tidy_up EXIT
# Uses a separate process group, so that only tidy_up forwards Ctrl-C: a second interrupt would end the load without a summary.
in_own_group() { if command -v setsid >/dev/null 2>&1; then setsid "$@"; else perl -e 'setpgrp(0, 0); exec @ARGV' "$@"; fi; }
in_own_group "$root/scripts/stack.sh" load rolling --duration "$duration" --wait 120s "$@" &
load=$!
wait_for_load
roll || exit 1
kill -0 "$load" 2>/dev/null || late="the load of $duration ended before the steps were finished; make it longer: DURATION=300s make rolling"
wait "$load"
status=$?
load=''
[ "$status" = 0 ] || exit "$status"
[ -z "${late:-}" ] || fail 1 "$late"
