# Load and verification as Jobs in the cluster. Sourced by kubernetes.sh, never run. Reports come out by the Jobs' logs and go in again as
# ConfigMaps: no storage is needed that several nodes may write to, and no pod gets a token.

shards=${SHARDS:-4}
# So long, in seconds, the pods have to be there before all of them begin.
start_in=${START_IN:-30}

check_shards() {
  case $shards in
    '' | *[!0-9]* | 0* | 1) fail 2 "SHARDS: expected a whole number from 2, got \"$shards\"" ;;
  esac
  check_seconds START_IN "$start_in"
}

ledger_exists() { in_namespace get configmap loadgen-ledger >/dev/null 2>&1; }

# load [PATTERN] [OPTION...]: a built-in pattern or a file of this machine, and options of `loadgen run`.
load() {
  check_shards
  pattern=${1:-lab}
  [ $# -eq 0 ] || shift
  [ -z "$(in_namespace get job loadgen --ignore-not-found --output 'jsonpath={.status.active}')" ] ||
    fail 1 'a load is running here already, and two at a time would see each other.'
  write_overlay load/shards
  add_pattern
  printf '%s\n' "$@" >"$overlay/ARGS"
  printf 'SHARDS=%s\nSTART_AT=%s\n' "$shards" "$(moment_in "$start_in")" >"$overlay/settings.env"
  cat >>"$overlay/kustomization.yaml" <<E2
configMapGenerator:
  - { name: loadgen-settings, behavior: merge, envs: [settings.env], files: [PATTERN, ARGS] }
$pattern_file
patches:
  - target: { kind: Job, name: loadgen }
    patch: |-
      - { op: replace, path: /spec/completions, value: $shards }
      - { op: replace, path: /spec/parallelism, value: $shards }
E2
  run_job loadgen "sending \"$pattern\" from $shards pods" || true
  collect_shards
  combine
}

# A file becomes a key of a ConfigMap, which may have letters, digits and -_. in its name.
add_pattern() {
  pattern_file=''
  printf '%s\n' "$pattern" >"$overlay/PATTERN"
  case $pattern in
    */* | *.yaml | *.yml | *.json)
      [ -r "$pattern" ] || fail 2 "the pattern file \"$pattern\" cannot be read."
      file=$(basename -- "$pattern" | tr -c 'A-Za-z0-9._\n-' _)
      cp -- "$pattern" "$overlay/$file"
      pattern_file="  - { name: loadgen-patterns, namespace: $namespace, files: [$file] }"
      echo "./$file" >"$overlay/PATTERN"
      ;;
  esac
}

# As the generator wants it. GNU's date and the BSDs' differ in how they are told.
moment_in() {
  seconds=$(($(date +%s) + $1))
  date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$seconds" +%Y-%m-%dT%H:%M:%SZ
}

# run_job NAME TITLE: applies the overlay, which holds this Job, and waits for its end. Returns 1 where it failed.
run_job() {
  in_namespace delete job "$1" --ignore-not-found --cascade=foreground >/dev/null
  cluster apply -k "$overlay" >"$work/applied" 2>&1 || {
    cat "$work/applied" >&2
    fail 1 "the cluster did not take the job \"$1\"; its words are above."
  }
  run_step "$2" wait_for_job "$1" || {
    in_namespace get pods --selector "batch.kubernetes.io/job-name=$1" >&2
    return 1
  }
}

# A load may take as long as it likes; a Job that cannot start is told apart by its pods.
wait_for_job() {
  while :; do
    case $(in_namespace get job "$1" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}') in
      *Complete*) return 0 ;;
      *Failed*) return 1 ;;
    esac
    reasons=$(in_namespace get pods --selector "batch.kubernetes.io/job-name=$1" --output 'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}')
    case $reasons in *ErrImage* | *ImagePull* | *CreateContainerConfigError*) echo "its pods wait: $reasons" && return 1 ;; esac
    in_namespace get job "$1" --output 'jsonpath={.status.active} active, {.status.succeeded} ended{"\n"}'
    sleep 1
  done
}

# take_out NAME FILE: a file out of a log on standard input.
take_out() { sed -n "s/^$1://p" | base64 -d >"$2"; }

collect_shards() {
  mkdir "$work/shards"
  index=0
  while [ "$index" -lt "$shards" ]; do
    in_namespace logs --tail -1 --selector "batch.kubernetes.io/job-name=loadgen,batch.kubernetes.io/job-completion-index=$index" >"$work/log" 2>&1
    if grep -q '^report.json:' "$work/log"; then
      take_out report.json "$work/shards/$((index + 1)).json.gz" <"$work/log"
    else
      lines=$(tail -n 5 "$work/log" | sed 's/^/    /')
      say "shard $((index + 1))/$shards left no report${lines:+; its last lines:
$lines}"
    fi
    index=$((index + 1))
  done
  [ -n "$(ls "$work/shards")" ] || fail 3 'no shard has left a report.'
  in_namespace delete configmap loadgen-shards --ignore-not-found >/dev/null
  create_configmap loadgen-shards --from-file "$work/shards"
}

create_configmap() {
  in_namespace create configmap "$@" >/dev/null && in_namespace label configmap "$1" app.kubernetes.io/part-of=observability-stack >/dev/null ||
    fail 1 "the ConfigMap $1 could not be made."
}

combine() {
  write_overlay load/combine
  run_job loadgen-combine 'adding up the shards, and comparing with Prometheus' || true
  show_job loadgen-combine
  grep -q '^report.json:' "$work/log" || return "$job_status"
  name=$(date -u +%Y%m%d-%H%M%S)
  take_out report.json "$work/report.json.gz" <"$work/log"
  mkdir -p "$reports" && gzip -dc "$work/report.json.gz" >"$reports/$name.json" &&
    take_out page.html "$work/page.gz" <"$work/log" && gzip -dc "$work/page.gz" >"$reports/$name.html" &&
    say "The run as a page: $reports/$name.html"
  ledger_exists || create_configmap loadgen-ledger
  printf '{"binaryData":{"%s.json.gz":"%s"}}' "$name" "$(base64 <"$work/report.json.gz" | tr -d '\n')" >"$work/patch.json"
  in_namespace patch configmap loadgen-ledger --type merge --patch-file "$work/patch.json" >/dev/null ||
    fail 1 'the report could not be added to the ConfigMap loadgen-ledger. It holds 1 MiB; remove it to begin a new one.'
  return "$job_status"
}

# Sets job_status to the exit status of a Job's only container, and prints what it said.
show_job() {
  in_namespace logs --tail -1 "job/$1" >"$work/log" 2>&1 || fail 1 "the job \"$1\" has left no log."
  grep -vE '^(report\.json|page\.html):' "$work/log"
  job_status=$(in_namespace get pods --selector "batch.kubernetes.io/job-name=$1" --output 'jsonpath={.items[0].status.containerStatuses[0].state.terminated.exitCode}')
  job_status=${job_status:-1}
}

verify() {
  [ $# -eq 0 ] || fail 2 "expected nothing after verify, got \"$1\"." "$usage"
  ledger_exists || fail 1 'nothing has been sent here yet, so there is nothing to compare.' 'Send something with: make k8s-load'
  write_overlay load/verify
  run_job loadgen-verify 'comparing all runs with Prometheus' || true
  show_job loadgen-verify
  return "$job_status"
}
