# Runs loads in the cluster as a Job of `shards` pods, and verifies them with the generator in the pod ledger-0. Sourced. The shards
# send their records to that pod, so they need neither this machine nor a token.

shards=${SHARDS:-4}
# Seconds until all pods start to send; every pod must be running by then.
start_in=${START_IN:-30}

check_load_settings() {
  is_port "$shards" && [ "$shards" -gt 1 ] || fail 2 "SHARDS: expected a whole number from 2, got \"$shards\""
  check_seconds START_IN "$start_in"
}

# in_ledger COMMAND...: runs COMMAND in the ledger's folder and returns its status.
in_ledger() { in_namespace exec ledger-0 -- sh -c 'cd /var/lib/loadgen && exec "$@"' sh "$@"; }
generator=/srv/loadgen/dist/main.js prometheus=http://prometheus:9090
# has_records PATTERN: succeeds if any record matches this shell pattern.
has_records() { found=$(in_ledger sh -c "set -- $1; [ ! -e \"\$1\" ] || echo yes") || fail 3 'the pod ledger-0 does not answer, see above.'; [ -n "$found" ]; }

# Requires a ready ledger, and sets image to its generator's image.
require_ledger() {
  image=$(get statefulset ledger --ignore-not-found --output 'jsonpath={.status.readyReplicas}/{.spec.template.spec.containers[0].image}')
  case $image in 1/*) image=${image#1/} ;; *) fail 3 'the stack does not run there: its ledger is not ready.' 'Start the stack with: make k8s-up' ;; esac
}

# Prints the Job's ACTIVE/READY/SUCCEEDED/SHARDS:CONDITIONS, or nothing if there is no Job.
load_state() {
  get job loadgen --ignore-not-found --output \
    'jsonpath={.status.active}/{.status.ready}/{.status.succeeded}/{.spec.completions}:{.status.conditions[?(@.status=="True")].type}'
}
part() { echo "${state%%:*}" | cut -d / -f "$1" | grep . || echo 0; }
is_over() { case $state in '' | *Complete* | *Failed*) ;; *) return 1 ;; esac; }

interrupted=''
how_to_stop='To stop a load and verify what it sent: make k8s-load ARGS=--stop'
# load [PATTERN] [OPTION... | --stop]: PATTERN is built in or a file on this machine; the options are those of `exact-load run`.
load() {
  case ${1:-} in -*) set -- lab "$@" ;; esac
  [ "${2:-}" != --stop ] || { stop; return; }
  require_ledger
  pattern=${1:-lab} word=${1:-lab}
  [ $# -eq 0 ] || shift
  mkdir "$work/plan"
  case $pattern in
    */* | *.yaml | *.yml | *.json)
      [ -r "$pattern" ] || fail 2 "cannot read the pattern file \"$pattern\"."
      # A ConfigMap's keys consist of letters, digits and -_.
      word=./$(basename -- "$pattern" | tr -c 'A-Za-z0-9._\n-' _)
      cp "$pattern" "$work/plan/$word"
      ;;
  esac
  state=$(load_state) || fail 3 'the cluster does not report whether a load is running.'
  if [ -n "$state" ] && is_over; then
    say 'The command of an earlier load was killed, or lost its connection to the cluster. Its result:'
    collect >&2
  fi
  # Creating the Job also serves as the lock: it fails if a Job exists.
  cluster kustomize "$root/kubernetes/load" | cluster patch --local --filename - --output json --patch "{\"spec\":{\"completions\":$shards,\"parallelism\":$shards,
    \"template\":{\"spec\":{\"containers\":[{\"name\":\"loadgen\",\"image\":\"$image\"}]}}}}" |
    cluster create --filename - >"$work/created" 2>&1 || fail 1 "cannot start the load: $(load_is_running || tail -n 1 "$work/created")" \
    "$how_to_stop"
  run=$(date -u +%Y%m%d-%H%M%S)
  printf '%s\n' "$word" "$@" >"$work/plan/WORDS"
  begin=$(($(date +%s) + start_in))
  for line in "RUN $run" "SHARDS $shards" "START $begin"; do echo "${line#* }" >"$work/plan/${line% *}"; done
  trap 'interrupted=1' INT TERM
  put_plan && in_namespace patch job loadgen --type merge --patch '{"spec":{"suspend":false}}' >/dev/null || fail 1 'cannot start the load.'
  say "- sending \"$pattern\" from $shards pods ..."
  watch_load
  # A second signal ends the script at once.
  trap 'fail 130 "interrupted while collecting." "$how_to_stop"' INT TERM
  [ -z "$interrupted" ] || say '  interrupted: stopping the pods, which complete their requests in flight'
  collect
  status=$?
  [ -z "$interrupted" ] || status=130
  return "$status"
}

# Stops a load, unless it has already ended, and verifies what it sent.
stop() {
  [ -n "$(load_state)" ] || fail 1 'no load is running, and none was left behind.'
  require_ledger
  interrupted=1
  collect
  status=$?
  [ "$status" = 130 ] || return "$status"
  # Status 130 reports only the interruption that the user requested; the report has the verdict.
  grep -q '"verdict": "verified"' "$reports/$run.json"
}

verify() {
  require_ledger
  has_records '*.json' || fail 1 'nothing to verify: the ledger has no records.' 'Send traffic with: make k8s-load'
  ! load_is_running >/dev/null || fail 1 'a load is running, so Prometheus is ahead of its records.' "$how_to_stop"
  in_ledger node "$generator" verify --ledger . --prometheus "$prometheus" "$@"
}
load_is_running() { state=$(load_state) && ! is_over && echo "one is running, with $(part 1) pods."; }

put_plan() {
  in_namespace delete configmap loadgen-plan --ignore-not-found >/dev/null
  in_namespace create configmap loadgen-plan --from-file "$work/plan" --dry-run=client --output json |
    in_namespace label --local --filename - --output json app.kubernetes.io/part-of=observability-stack |
    in_namespace create --filename - >/dev/null
}

# watch_load: waits until the Job ends or a signal arrives. A load may take any length of time, but K8S_TIMEOUT limits the wait for its
# pods to start and for a cluster that does not respond.
watch_load() {
  watched=$(date +%s) answered=$watched moved=$begin shown=0
  while [ -z "$interrupted" ]; do
    if state=$(load_state 2>"$work/error"); then
      answered=$(date +%s)
      is_over && break
      [ "$(part 2)" = 0 ] || moved=$answered
      waiting=$(get pods --selector "$pods_of_load" --output 'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}' 2>/dev/null)
      case $waiting in *ErrImage* | *ImagePull* | *CreateContainer*) say "  its pods are waiting: $waiting" && break ;; esac
    fi
    now=$(date +%s)
    [ $((now - answered)) -lt "$timeout" ] || [ -n "$interrupted" ] ||
      fail 3 "no response from the cluster about the load's pods for $timeout s: $(tail -n 1 "$work/error")" 'The load continues.' "$how_to_stop"
    [ $((now - moved)) -lt "$timeout" ] || { say "  $(part 1) pods have not run within $timeout s" && break; }
    [ $(((now - watched) / 15)) = "$shown" ] || {
      shown=$(((now - watched) / 15))
      say "  still running after $((now - watched)) s: $(part 1) active, $(part 3) ended"
    }
    sleep 1
  done
}
pods_of_load=batch.kubernetes.io/job-name=loadgen

# collect: ends the Job and its pods, and combines the records that its shards sent to the ledger. Returns the generator's status.
collect() {
  state=$(load_state)
  [ "$(part 3)" = "$(part 4)" ] || [ -n "$interrupted" ] || explain "$pods_of_load"
  run=$(get configmap loadgen-plan --ignore-not-found --output 'jsonpath={.data.RUN}')
  run_step 'waiting until its pods are gone' in_namespace delete job loadgen --ignore-not-found --cascade=foreground --timeout "${timeout}s" ||
    fail 1 "the pods of the load did not end within $timeout s."
  [ -n "$run" ] && has_records "$run-*.json" || { say 'Nothing was sent.' && return 1; }
  status=0
  # The report replaces the shards' records. It also lists the API's processes at the end of the run, by which `verify` selects runs.
  in_ledger sh -c "node $generator combine $run-*.json --prometheus $prometheus --json $run.json --html /tmp/page.html
    status=\$?; [ ! -s $run.json ] || rm $run-*.json; exit \$status" || status=$?
  mkdir -p "$reports" && in_ledger cat "$run.json" >"$reports/$run.json" && in_ledger cat /tmp/page.html >"$reports/$run.html" &&
    in_ledger rm /tmp/page.html && say "The run as a page: $reports/$run.html"
  return "$status"
}
