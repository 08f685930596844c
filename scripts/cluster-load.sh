# Load and verification as Jobs in the cluster. Sourced. Reports leave by the Jobs' logs and come in as
# ConfigMaps: no storage is needed that several nodes may write to, and no pod gets a token.

shards=${SHARDS:-4}
# After so many seconds all pods start to send: until then each has to run.
start_in=${START_IN:-30}

check_load_settings() {
  is_port "$shards" && [ "$shards" -gt 1 ] || fail 2 "SHARDS: expected a whole number from 2, got \"$shards\""
  check_seconds START_IN "$start_in"
}

ledger_exists() { in_namespace get configmap loadgen-ledger >/dev/null 2>&1; }

load() { find_own_images && send "$@"; }
# send [PATTERN] [OPTION...]: a built-in pattern or a file of this machine, and options of `exact-load run`.
send() {
  pattern=${1:-lab}
  [ $# -eq 0 ] || shift
  [ -z "$(in_namespace get job loadgen --ignore-not-found --output 'jsonpath={.status.active}')" ] ||
    fail 1 'a load is running here already, and two at a time would see each other.'
  mkdir "$work/settings" "$work/shards"
  apply_shared
  printf '%s\n' "$pattern" >"$work/settings/PATTERN"
  case $pattern in
    */* | *.yaml | *.yml | *.json)
      [ -r "$pattern" ] || fail 2 "the pattern file \"$pattern\" cannot be read."
      # The key of a ConfigMap may have letters, digits and -_. in its name.
      file=$(basename -- "$pattern" | tr -c 'A-Za-z0-9._\n-' _)
      put_configmap loadgen-patterns "--from-file=$file=$pattern"
      echo "./$file" >"$work/settings/PATTERN"
      ;;
  esac
  printf '%s\n' "$@" >"$work/settings/ARGS"
  seconds=$(($(date +%s) + start_in))
  # GNU's date and the BSDs' differ in their options.
  start_at=$(date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$seconds" +%Y-%m-%dT%H:%M:%SZ)
  put_configmap loadgen-settings "--from-file=$work/settings" "--from-literal=SHARDS=$shards" "--from-literal=START_AT=$start_at"
  run_job load/shards "sending \"$pattern\" from $shards pods" -e "s/^  completions: .*/  completions: $shards/" -e "s/^  parallelism: .*/  parallelism: $shards/"
  collect_shards
  combine
}

verify() {
  [ $# -eq 0 ] || fail 2 "expected nothing after verify, got \"$1\"." "$usage"
  ledger_exists || fail 1 'nothing has been sent here yet, so there is nothing to compare.' 'Send something with: make k8s-load'
  find_own_images
  apply_shared
  run_job load/verify 'comparing all runs with Prometheus'
  show_job loadgen-verify
  return "$job_status"
}

# apply OPTION...: what standard input holds.
apply() { cluster apply -f - "$@" >"$work/applied" 2>&1 || fail 1 'the cluster did not take the job:' "$(cat "$work/applied")"; }
apply_shared() { render load/shared | apply; }

# put_configmap NAME OPTION...: makes it of files and values, in the place of one of that name.
put_configmap() {
  in_namespace delete configmap "$1" --ignore-not-found >/dev/null
  in_namespace create configmap "$@" --dry-run=client --output json |
    in_namespace label --local --filename - --output json app.kubernetes.io/part-of=observability-stack |
    in_namespace create --filename - >/dev/null || fail 1 "the ConfigMap $1 could not be made."
}

# run_job FOLDER TITLE [EDIT...]: starts the Job of the folder, edited by sed, and waits for its end. Sets job to its name.
run_job() {
  folder=$1 title=$2
  shift 2
  job=$(sed -n 's/^  name: //p' "$root/kubernetes/$folder/job.yaml")
  in_namespace delete job "$job" --ignore-not-found --cascade=foreground >/dev/null
  render "$folder" | sed -e '' "$@" | apply --selector app.kubernetes.io/name=loadgen
  run_step "$title" wait_for_job || in_namespace get pods --selector "batch.kubernetes.io/job-name=$job" >&2
}

# A load may take as long as it likes; a Job that cannot start is recognised by its pods.
wait_for_job() {
  while :; do
    case $(in_namespace get job "$job" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}') in
      *Complete*) return 0 ;;
      *Failed*) return 1 ;;
    esac
    reasons=$(in_namespace get pods --selector "batch.kubernetes.io/job-name=$job" --output 'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}')
    case $reasons in *ErrImage* | *ImagePull* | *CreateContainerConfigError*) echo "its pods wait: $reasons" && return 1 ;; esac
    in_namespace get job "$job" --output 'jsonpath={.status.active} active, {.status.succeeded} ended{"\n"}'
    sleep 1
  done
}

# take_out NAME FILE: a file out of the log.
take_out() { sed -n "s/^$1://p" "$work/log" | base64 -d >"$2"; }

collect_shards() {
  for index in $(seq 0 $((shards - 1))); do
    in_namespace logs --tail -1 --selector "batch.kubernetes.io/job-name=loadgen,batch.kubernetes.io/job-completion-index=$index" >"$work/log" 2>&1
    if grep -q '^report.json:' "$work/log"; then
      take_out report.json "$work/shards/$((index + 1)).json.gz"
    else
      say "shard $((index + 1))/$shards left no report$(STEP_TAIL=5 last_lines '; its last lines:' <"$work/log")"
    fi
  done
  [ -n "$(ls "$work/shards")" ] || fail 3 'no shard has left a report.'
  put_configmap loadgen-shards "--from-file=$work/shards"
}

combine() {
  run_job load/combine 'adding up the shards, and comparing with Prometheus'
  show_job loadgen-combine
  grep -q '^report.json:' "$work/log" || return "$job_status"
  name=$(date -u +%Y%m%d-%H%M%S)
  take_out report.json "$work/report.json.gz"
  take_out page.html "$work/page.gz"
  mkdir -p "$reports" && gzip -dc "$work/report.json.gz" >"$reports/$name.json" && gzip -dc "$work/page.gz" >"$reports/$name.html" &&
    say "The run as a page: $reports/$name.html"
  ledger_exists || put_configmap loadgen-ledger
  printf '{"binaryData":{"%s.json.gz":"%s"}}' "$name" "$(base64 <"$work/report.json.gz" | tr -d '\n')" >"$work/patch.json"
  in_namespace patch configmap loadgen-ledger --type merge --patch-file "$work/patch.json" >/dev/null ||
    fail 1 'the report could not be added to the ConfigMap loadgen-ledger. It holds 1 MiB; remove it to begin a new one.'
  return "$job_status"
}

# Prints what the only container of a Job has printed, and sets job_status to its exit status.
show_job() {
  in_namespace logs --tail -1 "job/$1" >"$work/log" 2>&1 || fail 1 "the job \"$1\" has left no log."
  grep -vE '^(report\.json|page\.html):' "$work/log"
  job_status=$(in_namespace get pods --selector "batch.kubernetes.io/job-name=$1" --output 'jsonpath={.items[0].status.containerStatuses[0].state.terminated.exitCode}')
  job_status=${job_status:-1}
}
