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

# generator COMMAND WORD...: the generator's container, on the stack's network, as this user. It sees the current folder, the reports and
# the folders of files named elsewhere, under their own names, so that paths need no translation; not those that would hide the
# image's own. Ctrl-C is the generator's to handle: it stops sending, waits for what is in flight and sums up.
generator() {
  terminal=--no-TTY
  if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then terminal=''; fi
  user=$(id -u):$(id -g)
  # An engine without root has its user as number 0.
  case $(docker info --format '{{.SecurityOptions}}' 2>/dev/null) in *name=rootless*) user=0:0 ;; esac
  # Root reads and writes the files of others, as it does outside of containers.
  case $user in 0:*) root_rights=DAC_OVERRIDE ;; *) root_rights='' ;; esac
  set -- loadgen "$@"
  shared=:
  for word in "$PWD/." "$reports/." "$@"; do
    case $word in --*=*) word=${word#*=} ;; -j?*) word=${word#-j} ;; esac
    target_of_link=''
    [ ! -L "$word" ] || target_of_link=$(readlink -f -- "$word")
    for folder in "$(cd "$(dirname -- "$word")" 2>/dev/null && pwd)" "${target_of_link%/*}"; do
      case $folder in
        '' | / | /dev* | /proc* | /sys* | /bin | /lib | /etc | /srv | /usr | /usr/bin | /usr/lib | /usr/local | /usr/local/bin | /var | /var/lib) continue ;;
        *:*) fail 2 "expected a folder without a colon in its name, which no container can be given, got \"$folder\"." ;;
      esac
      case $shared in *":$folder:"*) continue ;; esac
      shared=$shared$folder:
      set -- --volume "$folder:$folder" "$@"
    done
  done
  trap : INT
  # shellcheck disable=SC2086 # nothing, or one word
  compose --progress quiet run --rm --no-deps --quiet-pull $terminal --user "$user" ${root_rights:+--cap-add "$root_rights"} \
    --workdir "$PWD" "$@"
}
reports=${REPORTS_FOLDER:-$root/reports}
target='--target http://api:5001'
verification='--prometheus http://prometheus:9090 --ledger /var/lib/loadgen'

running_containers() { compose ps --quiet 2>/dev/null | sort; }
has_containers() { [ -n "$(compose --profile load --profile alerts ps --all --quiet 2>/dev/null)" ]; }
is_running() { [ -n "$(compose ps --quiet --status running "$1" 2>/dev/null)" ]; }

require_stack() {
  require_own_project
  is_running api || fail 3 'the stack is not running.' 'Start it with: make up'
  image_present "$COMPOSE_PROJECT_NAME/loadgen" || fail 3 "the load generator's image is not here." 'Build it with: make up'
}

services() {
  printf 'prometheus'
  [ -n "$grafana_missing" ] || printf ' grafana'
  [ -z "${ALERTS:-}" ] || printf ' alertmanager'
}

up() {
  prepare_reports
  ensure_engine
  require_own_project
  ensure_base_images
  ensure_grafana_image
  build_images
  before=$(running_containers)
  claim_data
  STEP_TAIL=5 run_step 'starting the services and waiting until each is healthy' start_services || start_failed
  say ''
  send lab --only-on-fresh-api
  case $status in
    0) ;;
    130) fail 130 "interrupted while sending the lab's traffic; the stack runs on." ;;
    *) fail "$status" "the lab's traffic was not verified (status $status); the stack runs on, see the lines above." ;;
  esac
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
    health=$(compose --profile alerts ps --all --format '{{.State}} {{.Health}}' "$service" | sort -u | tr -s '\n ' ' ')
    case $health in 'running healthy ') continue ;; esac
    lines=$(compose --profile alerts logs --no-log-prefix --tail 15 "$service" 2>&1 | sed 's/^/    /')
    say "- $service is ${health% }${lines:+; its last lines:
$lines}"
  done
  if [ -z "$before" ]; then
    compose --profile alerts down >/dev/null 2>&1
    fail 1 'the stack did not start. What had started was removed again; volumes are kept.' 'Mend the cause and run it again.'
  fi
  [ "$before" = "$(running_containers)" ] || fail 1 'the stack did not start as asked, and not all that was running before still runs.' 'Mend the cause and run it again.'
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
      say "       Free it, or choose another: $name=$(other_port "$first") make up"
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
  show_page Prometheus "$PROMETHEUS_IMAGE" "$PROMETHEUS_HOST_PORT" "make query Q='sum(http_requests_total)'"
  if [ -z "$grafana_missing" ]; then
    show_url Grafana "$GRAFANA_HOST_PORT" /
  else
    say "Grafana       left out: $grafana_missing."
    say "              Bring it (docker load --input FILE, or GRAFANA_IMAGE=<mirror>/grafana), then: make up"
  fi
  [ -z "${ALERTS:-}" ] || show_page Alertmanager "$ALERTMANAGER_IMAGE" "$ALERTMANAGER_HOST_PORT" "curl http://localhost:$ALERTMANAGER_HOST_PORT/api/v2/alerts"
  say ''
  say 'Next: make lab   make load PATTERN=not-found   make verify   make down'
}

show_url() { printf '%-13s http://%s:%s%s\n' "$1" "$([ "$BIND_ADDRESS" = 0.0.0.0 ] && echo localhost || echo "$BIND_ADDRESS")" "$2" "$3" >&2; }

# show_page NAME IMAGE PORT COMMAND: Debian's builds have the whole API and no page; COMMAND asks one of them.
show_page() {
  case $2 in
    observability-stack/*) printf "%-13s without its page in Debian's build; ask it: %s\n" "$1" "$4" >&2 ;;
    *) show_url "$1" "$3" / ;;
  esac
}

# show_run STARTED: the overview for the time from shortly before a run's start (Unix seconds) until now. Not beyond: panels
# that show one moment show the end of the range, and there is no sample of the future.
show_run() { show_url 'This run' "$GRAFANA_HOST_PORT" "/d/api-overview?from=$(($1 - 30))000&to=$(date +%s)000"; }

prepare_reports() {
  { mkdir -p "$reports" && [ -w "$reports" ]; } 2>/dev/null ||
    fail 1 "the folder $reports cannot be written, and reports of runs go there." 'Choose another one: REPORTS_FOLDER=FOLDER'
}

# send WORD...: a run with a page, whose name sorts by time. Sets status, page and run_started.
send() {
  page=''
  case " $*" in
    *' --html'*) ;;
    *) page=$reports/$(date +%Y%m%d-%H%M%S).html && set -- "$@" --html "$page" ;;
  esac
  prepare_reports
  status=0
  run_started=$(date +%s)
  # shellcheck disable=SC2086 # lists of words
  generator run "$@" $target $verification || status=$?
  [ ! -e "$page" ] || say "The run as a page: $page"
}

load() {
  require_stack
  [ $# -gt 0 ] || set -- lab
  send "$@"
  # Only of a run that there was.
  if [ "$status" = 0 ] || [ -e "$page" ]; then
    if is_running grafana; then show_run "$run_started"; else show_url 'Overview' "$PROMETHEUS_HOST_PORT" /consoles/index.html; fi
  fi
  return "$status"
}

verify() {
  require_stack
  # shellcheck disable=SC2086 # a list of words
  generator verify $verification "$@"
}

query() {
  [ -n "${1:-}" ] || fail 2 'expected a query in PromQL, got nothing.' "Such as: make query Q='sum(http_requests_total)'"
  [ $# -eq 1 ] || fail 2 "expected one query in PromQL, got $# words: $*" "In quotes it is one: scripts/stack.sh query 'sum(http_requests_total)'"
  require_stack
  generator query --prometheus http://prometheus:9090 -- "$1"
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
