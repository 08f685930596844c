#!/bin/sh
# The stack as its user handles it: up, load, verify, query, down, clean, logs. Called by the Makefile; to be called directly where the
# exact exit status matters, because make turns every failure into its own status 2. docs/operations.md lists the statuses.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"
. "$root/scripts/replicas.sh"
. "$root/scripts/generator.sh"
. "$root/scripts/urls.sh"

usage='usage: scripts/stack.sh up | load [PATTERN...] [OPTION...] | verify [OPTION...] | query PROMQL | down | clean | logs [SERVICE...]'

up() {
  prepare_reports
  ensure_engine
  require_own_project
  ensure_images
  ensure_grafana
  build_images
  before=$(running_containers)
  claim_data
  STEP_TAIL=5 run_step 'starting the services and waiting until each is healthy' start_services || start_failed
  say ''
  send lab --only-on-fresh-api
  [ "$status" != 130 ] || fail 130 "interrupted while sending the lab's traffic; the stack runs on."
  [ "$status" = 0 ] || fail "$status" "the lab's traffic was not verified (status $status); the stack runs on, see the lines above."
  [ "$before" != "$(running_containers)" ] || say 'The stack was running already: nothing was changed.'
  show_urls
}

start_services() {
  set -- prometheus
  [ -n "$grafana_missing" ] || set -- "$@" grafana
  [ -z "${ALERTS:-}" ] || set -- "$@" alertmanager
  compose --profile alerts up --detach --no-build --no-deps --wait --wait-timeout 120 "$@" && scale_api
}

# Says why, and leaves nothing half started unless the stack was running before.
start_failed() {
  explain_taken_port
  for service in $(compose --profile alerts ps --all --services 2>/dev/null); do
    health=$(compose --profile alerts ps --all --format '{{.State}} {{.Health}}' "$service" | sort -u | tr -s '\n ' ' ')
    [ "$health" = 'running healthy ' ] ||
      say "- $service is ${health% }$(compose --profile alerts logs --no-log-prefix --tail 15 "$service" 2>&1 | last_lines '; its last lines:')"
  done
  hint='Mend the cause and run it again.'
  [ -n "$before" ] || {
    compose --profile alerts down >/dev/null 2>&1
    fail 1 'the stack did not start. What had started was removed again; volumes are kept.' "$hint"
  }
  [ "$before" = "$(running_containers)" ] || fail 1 'the stack did not start as asked, and not all that was running before still runs.' "$hint"
  fail 1 'the stack did not start as asked. What was running before was left alone.'
}

# Engines word it in several ways; all name the port.
explain_taken_port() {
  port=$(sed -nE 's/.*(Bind for|listen tcp4?|exposing port TCP) [0-9.:]*:([0-9]+).*(allocated|in use|forbidden|denied).*/\2/p' "$step_log" | head -n 1)
  for name in ${port:+$port_names}; do
    [ "$port" -lt "$(value_of "$name")" ] || [ "$port" -gt "$(last_port "$name")" ] || {
      say "error: port $port ($name) is taken by another program."
      say "       Free it, or choose another: $name=$(other_port "$name") make up"
    }
  done
}

running_containers() { compose ps --quiet 2>/dev/null | sort; }
has_containers() { [ -n "$(compose --profile load --profile alerts ps --all --quiet 2>/dev/null)" ]; }

require_stack() {
  require_running api
  image_present "$COMPOSE_PROJECT_NAME/loadgen" || fail 3 "the load generator's image is not here." 'Build it with: make up'
}

load() {
  require_stack
  [ $# -gt 0 ] || set -- lab
  send "$@"
  # Of a run that there was.
  [ "$status" != 0 ] && [ ! -e "$page" ] || show_overview
  return "$status"
}

verify() {
  require_stack
  # shellcheck disable=SC2086 # lists of words
  generator verify $prometheus $ledger "$@"
}

query() {
  [ -n "${1:-}" ] || fail 2 'expected a query in PromQL, got nothing.' "Such as: make query Q='sum(http_requests_total)'"
  [ $# -eq 1 ] || fail 2 "expected one query in PromQL, got $# words: $*" "In quotes it is one: scripts/stack.sh query 'sum(http_requests_total)'"
  require_stack
  # shellcheck disable=SC2086 # a list of words
  generator query $prometheus -- "$1"
}

logs() {
  require_own_project
  has_containers || fail 3 'the stack is not running.' 'Start it with: make up'
  compose --profile alerts logs --follow --tail 50 "$@"
}

down() {
  has_containers || say 'The stack is not running.'
  run_step 'stopping the stack' compose --profile load --profile alerts down --remove-orphans "$@"
}

# By name: another clone's may be the same image. All clones share the fallback images; the last one removes them. Pulled images stay.
clean() {
  down --volumes || return $?
  fallbacks=$fallback_pattern
  ! image_names '*/loadgen' | grep -qv "^$COMPOSE_PROJECT_NAME/" || fallbacks=''
  # shellcheck disable=SC2046 # a list of words
  set -- $(for pattern in "$COMPOSE_PROJECT_NAME/app*" "$COMPOSE_PROJECT_NAME/loadgen" $fallbacks; do image_names "$pattern"; done)
  [ $# = 0 ] || run_step 'removing the built images' docker image rm --force "$@"
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  up)
    check_settings
    engine_answers || may_start_engine || ensure_engine
    take_lock 'make up' && up ;;
  load | verify | query | logs) "$command" "$@" ;;
  down) require_own_project && take_lock 'make down' && down ;;
  clean) require_own_project && take_lock 'make clean' && clean ;;
  *) fail 2 "expected a command, got \"$command\"." "$usage" ;;
esac
