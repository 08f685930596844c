#!/bin/sh
# The stack as a person handles it: up, load, verify, query, down, clean, logs. Called by the Makefile; may be called directly
# where the exact exit status matters, because make turns every failure into its own status 2.
# The exit statuses are listed in docs/operations.md.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/lock.sh"
. "$root/scripts/engine.sh"
. "$root/scripts/images.sh"
. "$root/scripts/replicas.sh"

usage='usage: scripts/stack.sh up | load [PATTERN...] [OPTION...] | verify [OPTION...] | query PROMQL | down | clean | logs [SERVICE...]'

# The generator's container: on the stack's network, and never starting or replacing anything else. Ctrl-C is the
# generator's to handle: it stops sending, waits for what is in flight and sums up.
generator() {
  terminal=--no-TTY
  if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then terminal=''; fi
  trap : INT
  # shellcheck disable=SC2086 # nothing, or one word
  compose --progress quiet run --rm --no-deps --quiet-pull $terminal \
    ${shared:+--volume "$shared:$exchange"} loadgen "$@"
}
shared=''
leave_nothing() { [ -z "$shared" ] || rm -rf "$shared"; forget_step_log; forget_lock; }
trap leave_nothing EXIT
reports=${REPORTS_FOLDER:-$root/reports}
target='--target http://api:5001'
proof='--prometheus http://prometheus:9090 --ledger /var/lib/loadgen'
marks='--marks http://marks:9095'

running_containers() { compose ps --quiet 2>/dev/null | sort; }
has_containers() { [ -n "$(compose --profile load --profile alerts ps --all --quiet 2>/dev/null)" ]; }
is_running() { [ -n "$(compose ps --quiet --status running "$1" 2>/dev/null)" ]; }

require_stack() {
  require_own_project
  is_running api || fail 3 'the stack is not running.' 'Start it with: make up'
  image_present "$COMPOSE_PROJECT_NAME/loadgen" || fail 3 "the load generator's image is not here." 'Build it with: make up'
}

services() {
  printf 'marks prometheus'
  [ -n "$grafana_missing" ] || printf ' grafana'
  [ -z "${ALERTS:-}" ] || printf ' alertmanager alert-receiver'
}

up() {
  open_exchange
  ensure_engine
  require_own_project
  ensure_base_images
  ensure_grafana_image
  build_images
  before=$(running_containers)
  claim_data
  STEP_TAIL=5 run_step 'starting the services and waiting until each is healthy' start_services || start_failed
  say ''
  run_started=$(date +%s)
  page=$reports/$(date +%Y%m%d-%H%M%S).html
  outputs=''
  status=0
  # shellcheck disable=SC2086 # lists of words
  generator run lab --only-on-fresh-api --html "$exchange/page.html" $target $proof $marks || status=$?
  bring_back || fail 1 'the page of the run could not be brought back from the container.'
  [ "$status" = 0 ] || {
    fail "$status" "the lab's traffic was not proven (status $status); the stack runs on, see the lines above."
  }
  [ "$before" != "$(running_containers)" ] || say 'The stack was running already: nothing was changed.'
  show_urls
}

start_services() {
  # shellcheck disable=SC2046 # a list of words
  compose --profile alerts up --detach --no-build --no-deps --wait --wait-timeout 120 $(services) && scale_api
}

# Says why, and leaves nothing half started unless the stack was running before.
start_failed() {
  explain_taken_port
  for service in $(compose --profile alerts ps --all --services 2>/dev/null); do
    health=$(compose --profile alerts ps --all --format '{{.State}} {{.Health}}' "$service" | sort -u | tr '\n' ' ')
    case $health in 'running healthy ') continue ;; esac
    say "- $service is ${health% }; its last lines:"
    compose --profile alerts logs --no-log-prefix --tail 15 "$service" 2>&1 | sed 's/^/    /' >&2
  done
  if [ -z "$before" ]; then
    compose --profile alerts down >/dev/null 2>&1
    fail 1 'the stack did not start. What had started was removed again; volumes are kept.' 'Mend the cause and run it again.'
  fi
  fail 1 'the stack did not start as asked. What was running before was left alone.'
}

# Engines word it in several ways; all name the port.
explain_taken_port() {
  port=$(sed -nE 's/.*(Bind for|listen tcp4?|exposing port TCP) [0-9.:]*:([0-9]+).*(allocated|in use|forbidden|denied).*/\2/p' "$step_log" | head -n 1)
  [ -n "$port" ] || return 0
  for name in $port_names; do
    set_port_range "$name"
    if [ "$port" -ge "$first" ] && [ "$port" -le "$last" ]; then
      say "error: port $port ($name) is taken by another program."
      say "       Free it, or choose another: $name=$((first + 10000)) make up"
    fi
  done
}

show_urls() {
  say ''
  # What to open first: the dashboard of the run just made, if one was (an API that is not fresh is sent nothing), or, without Grafana, the page that Prometheus renders.
  [ -z "$grafana_missing" ] || show_url 'Overview' "$PROMETHEUS_HOST_PORT" /consoles/index.html
  [ -n "$grafana_missing" ] || [ ! -e "$page" ] || show_run "$run_started"
  show_url API "${API_HOST_PORT%%-*}" "/products (also on ${API_LAB_HOST_PORT%%-*}, which browsers refuse)"
  [ "$API_REPLICAS" -eq 1 ] || say "              $API_REPLICAS replicas: ports $(port_range API_HOST_PORT), their metrics on $(port_range METRICS_HOST_PORT)"
  show_url Metrics "${METRICS_HOST_PORT%%-*}" /metrics
  # Debian's build has the whole API and no page: nobody is sent to one that says that it is missing.
  case $PROMETHEUS_IMAGE in
    observability-stack/*) say "Prometheus    without its page in Debian's build; ask it: make query 'sum(http_requests_total)'" ;;
    *) show_url Prometheus "$PROMETHEUS_HOST_PORT" / ;;
  esac
  if [ -z "$grafana_missing" ]; then
    show_url Grafana "$GRAFANA_HOST_PORT" /
  else
    say "Grafana       left out: $grafana_missing."
    say "              Bring it (docker load --input FILE, or GRAFANA_IMAGE=<mirror>/grafana), then: make up"
  fi
  [ -z "${ALERTS:-}" ] || {
    show_url Alertmanager "$ALERTMANAGER_HOST_PORT" /
    show_url Notifications "$ALERT_RECEIVER_HOST_PORT" /
  }
  say ''
  say 'Next: make lab   make load PATTERN=not-found   make verify   make down'
}

show_url() { printf '%-13s http://%s:%s%s\n' "$1" "$([ "$BIND_ADDRESS" = 0.0.0.0 ] && echo localhost || echo "$BIND_ADDRESS")" "$2" "$3" >&2; }

# show_run STARTED: the overview for the time from shortly before a run's start (Unix seconds) until now. Not beyond: panels
# that show one moment show the end of the range, and there is no sample of the future.
show_run() { show_url 'This run' "$GRAFANA_HOST_PORT" "/d/api-overview?from=$(($1 - 30))000&to=$(date +%s)000"; }

# What the generator's container and this machine hand each other: pattern files in, reports out. A folder of this run
# alone, which the container's user may write to whatever this user's number is.
exchange=/exchange
open_exchange() {
  mkdir -p "$reports" && shared=$(mktemp -d "$reports/.run.XXXXXX") && chmod 777 "$shared" ||
    fail 1 "the folder $reports cannot be written, and reports of runs go there." 'Choose another one: REPORTS_FOLDER=FOLDER'
}

# Sets word to what the container has to be told in the place of a word of the command line, and remembers in outputs what
# is to be brought back. A file is known by its form, as the generator does it; one that is not here it will name itself.
translate() {
  case $1 in
    --html | --json | -j)
      [ "$2" != - ] || return 0
      outputs="$outputs$word
"
      word=$exchange/output.$(printf '%s' "$outputs" | grep -c '') ;;
    -q | --quiet | --verify | --no-verify | --no-annotate | --only-on-fresh-api | [!-]* | '')
      case $word in
        -*) ;;
        */* | *.yaml | *.yml | *.json)
          [ -r "$word" ] || return 0
          # Each in a folder of its own, because its name is the pattern's. Readable whoever the container's user is.
          copy=$(mktemp -d "$shared/XXXXXX")/${word##*/}
          cp "$word" "$copy" && chmod 755 "${copy%/*}" && chmod 644 "$copy" && word=$exchange${copy#"$shared"} ;;
      esac ;;
  esac
}

load() {
  require_stack
  [ $# -gt 0 ] || set -- lab
  open_exchange
  outputs=''
  before=''
  page=1
  for word in "$@"; do
    shift
    [ "$word" != --html ] || page=''
    was=$word
    translate "$before" "$word"
    before=$was
    set -- "$@" "$word"
  done
  # The page has a name that sorts by time; the patterns are in it.
  [ -z "$page" ] || { page=$reports/$(date +%Y%m%d-%H%M%S).html && set -- "$@" --html "$exchange/page.html"; }
  status=0
  run_started=$(date +%s)
  # shellcheck disable=SC2086 # lists of words
  generator run "$@" $target $proof $marks || status=$?
  bring_back || fail 1 'a report could not be brought back from the container.'
  if is_running grafana; then show_run "$run_started"; else show_url 'Overview' "$PROMETHEUS_HOST_PORT" /consoles/index.html; fi
  return "$status"
}

# Copied, not moved: the copy is this user's own.
bring_back() {
  if [ -n "$page" ] && [ -r "$shared/page.html" ]; then
    cp "$shared/page.html" "$page" || return 1
    say "The run as a page: $page"
  fi
  number=0
  printf '%s' "$outputs" | while IFS= read -r output; do
    number=$((number + 1))
    [ ! -r "$shared/output.$number" ] || cp "$shared/output.$number" "$output" || exit 1
  done
}

verify() {
  require_stack
  # shellcheck disable=SC2086 # a list of words
  generator verify $proof "$@"
}

query() {
  [ $# -eq 1 ] && [ -n "$1" ] || fail 2 "expected one query in PromQL, got $# words." "Such as: make query 'sum(http_requests_total)'"
  require_stack
  generator query "$1" --prometheus http://prometheus:9090
}

down() {
  has_containers || say 'The stack is not running.'
  run_step 'stopping the stack' compose --profile load --profile alerts down --remove-orphans "$@"
}

clean() {
  down --volumes || return $?
  remove_own_images
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  up)
    check_settings
    engine_answers || may_start_engine || ensure_engine
    take_lock 'make up' && up ;;
  load) load "$@" ;;
  verify) verify "$@" ;;
  query) query "$@" ;;
  down) require_own_project && take_lock 'make down' && down ;;
  clean) require_own_project && take_lock 'make clean' && clean ;;
  logs)
    require_own_project
    has_containers || fail 3 'the stack is not running.' 'Start it with: make up'
    compose --profile alerts logs --follow --tail 50 "$@" ;;
  *) fail 2 "expected a command, got \"$command\"." "$usage" ;;
esac
