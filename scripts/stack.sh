#!/bin/sh
# The commands of the stack: up, load, verify, query, down, clean, logs. Called by the Makefile. Call it directly if the exact exit
# status matters, because make turns every failure into its own status 2. docs/operations.md lists the statuses.
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
  STEP_TAIL=5 run_step 'starting the services and waiting until all are healthy' start_services || start_failed
  say ''
  send lab --only-on-fresh-api
  [ "$status" != 130 ] || fail 130 "interrupted while sending the lab's traffic; the stack is still running."
  [ "$status" = 0 ] || fail "$status" "the lab's traffic was not verified (status $status), see above; the stack is still running."
  [ "$before" != "$(running_containers)" ] || say 'The stack was running already: nothing was changed.'
  show_urls
}

start_services() {
  set -- prometheus
  [ -n "$grafana_missing" ] || set -- "$@" grafana
  [ -z "${ALERTS:-}" ] || set -- "$@" alertmanager
  compose --profile alerts up --detach --no-build --no-deps --wait --wait-timeout 120 "$@" && scale_api
}

# Explains why the start failed, and removes a partly started stack unless it was running before.
start_failed() {
  explain_taken_port
  for service in $(compose --profile alerts ps --all --services 2>/dev/null); do
    health=$(compose --profile alerts ps --all --format '{{.State}} {{.Health}}' "$service" | sort -u | tr -s '\n ' ' ')
    [ "$health" = 'running healthy ' ] ||
      say "- $service is ${health% }$(compose --profile alerts logs --no-log-prefix --tail 15 "$service" 2>&1 | last_lines '; its last lines:')"
  done
  hint='Fix the cause and run it again.'
  [ -n "$before" ] || {
    compose --profile alerts down >/dev/null 2>&1
    fail 1 'the stack did not start. Its containers were removed; volumes were kept.' "$hint"
  }
  [ "$before" = "$(running_containers)" ] || fail 1 'the stack did not start with the new settings, and some containers that were running before have stopped.' "$hint"
  fail 1 'the stack did not start with the new settings. The containers that were running before are still running.'
}

# Engines word this error differently, but always name the port.
explain_taken_port() {
  port=$(sed -nE 's/.*(Bind for|listen tcp4?|exposing port TCP) [0-9.:]*:([0-9]+).*(allocated|in use|forbidden|denied).*/\2/p' "$step_log" | head -n 1)
  for name in ${port:+$port_names}; do
    [ "$port" -lt "$(value_of "$name")" ] || [ "$port" -gt "$(last_port "$name")" ] || {
      say "error: port $port ($name) is in use by another program."
      say "       Free it, or choose another: $name=$(other_port "$name") make up"
    }
  done
}

running_containers() { compose ps --quiet 2>/dev/null | sort; }
has_containers() { [ -n "$(compose --profile load --profile alerts ps --all --quiet 2>/dev/null)" ]; }

require_stack() {
  require_running api
  image_present "$COMPOSE_PROJECT_NAME/loadgen" || fail 3 "the load generator's image is missing." 'Build it with: make up'
}

load() {
  require_stack
  [ $# -gt 0 ] || set -- lab
  send "$@"
  # Shows the overview only if there was a run.
  [ "$status" != 0 ] && [ ! -e "$page" ] || show_overview
  return "$status"
}

verify() {
  require_stack
  # shellcheck disable=SC2086 # lists of words
  generator verify $prometheus $ledger "$@"
}

query() {
  [ -n "${1:-}" ] || fail 2 'expected a query in PromQL, got nothing.' "For example: make query Q='sum(http_requests_total)'"
  [ $# -eq 1 ] || fail 2 "expected one query in PromQL, got $# words: $*" "Quote it: scripts/stack.sh query 'sum(http_requests_total)'"
  require_stack
  # shellcheck disable=SC2086 # a list of words
  generator query $prometheus -- "$1"
}

logs() {
  require_own_project
  has_containers || fail 3 'the stack is not running.' 'Start it with: make up'
  # Follows new lines on a terminal; prints all lines into a pipe, for searching.
  [ ! -t 1 ] || set -- --follow --tail 50 "$@"
  compose --profile alerts logs "$@"
}

down() {
  has_containers || say 'The stack is not running.'
  run_step 'stopping the stack' compose --profile load --profile alerts down --remove-orphans "$@"
}

# Removes images by name, because another clone may have built the same image. All clones share the fallback images, and the last
# clone removes them. Pulled images stay.
clean() {
  down --volumes || return $?
  fallbacks="$fallback_pattern observability-stack/*:test"
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
