#!/usr/bin/env bash
# The acceptance test on the cluster of KUBECONFIG: apply, lab traffic, verification, load from four pods while the API is scaled and
# restarted, verification again, delete. Builds no images: the nodes must already have ours, with the version as tag. Skipped without
# KUBECONFIG. Ends with a Markdown table. PROMETHEUS_IMAGE and GRAFANA_IMAGE are as for make; RATE (500) and DURATION (150s) set the load.
# Exit status: 0 success or skipped, 1 a check failed, 3 the cluster does not answer.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
: "${RATE:=500}" "${DURATION:=150s}" "${K8S_TIMEOUT:=300}" "${START_IN:=60}"
export K8S_TIMEOUT START_IN

if [[ -z ${KUBECONFIG:-} ]]; then
  echo 'Skipped: the acceptance test on a cluster, as KUBECONFIG is not set.'
  exit 0
fi
# The scripts require a name for a context that is not local.
K8S_CONTEXT=${K8S_CONTEXT:-$(kubectl config current-context)} || exit 3
export K8S_CONTEXT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export REPORTS_FOLDER=$work/reports

in_namespace() { kubectl --context "$K8S_CONTEXT" --namespace observability-stack "$@"; }
# As a user runs it, with kubectl on the PATH.
stack() { make --no-print-directory --directory "$root" "k8s-$1" PATTERN="${2:-}" ARGS="${*:3}"; }
# query PROMQL: prints the value of an instant query, run in Prometheus' pod because of the NetworkPolicies.
query() { in_namespace exec prometheus-0 -- promtool query instant http://127.0.0.1:9090 "$1" 2>/dev/null | sed -nE 's/.*=> ([^ ]+) @.*/\1/p' | head -n 1; }

rows=() failed=0
row() { rows+=("| $1 | $2 |") && echo "  $1: $2"; }
check() { # TITLE, WHAT WAS SEEN, COMMAND...
  local title=$1 seen=$2
  shift 2
  if "$@"; then row "$title" "$seen"; else row "$title" "**failed**: $seen" && failed=1; fi
}
# Adds the seconds that a check took to the last row.
add_time() { rows[-1]="${rows[-1]%|}$1 s |" && rows[-1]=${rows[-1]/  / }; }
step() { printf '\n== %s (%(%T)T)\n' "$*" -1; }
# until_true SECONDS COMMAND...: sets took to the seconds that it waited.
until_true() {
  local start=$SECONDS end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || { took=$((SECONDS - start)) && return 1; }
    sleep 1
  done
  took=$((SECONDS - start))
}

# ---- what this cluster has
has_default_storage() { in_namespace get storageclass -o 'jsonpath={.items[*].metadata.annotations.storageclass\.kubernetes\.io/is-default-class}' | grep -qw true; }
has_metrics() { in_namespace get --raw /apis/metrics.k8s.io/v1beta1/nodes >/dev/null 2>&1; }
node_has() { in_namespace get nodes -o 'jsonpath={.items[*].status.images[*].names}' | grep -qF "/$1\""; }
choose() {
  has_default_storage || export K8S_STORAGE=ephemeral
  # A site without a registry has the fallback image of `make up`.
  local fallback=observability-stack/prometheus:3-debian
  if [[ -z ${PROMETHEUS_IMAGE:-} ]] && node_has "$fallback"; then export PROMETHEUS_IMAGE=$fallback; fi
}

# ---- what is watched
ready() { [[ $(in_namespace get deployment api -o 'jsonpath={.status.readyReplicas}/{.status.replicas}/{.spec.replicas}') == "$1/$1/$1" ]]; }
pods() { [[ $(in_namespace get pods -l app.kubernetes.io/name=api --no-headers 2>/dev/null | wc -l) == "$1" ]]; }
scraped() { [[ $(query 'count(up{job="api"} == 1)') == "$1" && $(query 'count(up{job="api"})') == "$1" ]]; }
# Sets the autoscaler's limits, as it controls the number of pods.
scale() { in_namespace patch horizontalpodautoscaler api --type merge -p "{\"spec\":{\"minReplicas\":$1,\"maxReplicas\":$2}}" >/dev/null; }
scale_to() {
  scale "$1" "$1"
  check "$2 to $1 pods: all ready, after" '' until_true "$K8S_TIMEOUT" ready "$1"
  add_time "$took"
  check "$2 to $1 pods: Prometheus scrapes these and no other, after" '' until_true 90 scraped "$1"
  add_time "$took"
}
# figure FILE PATH: prints a value of the generator's report, such as verification.verdict
figure() { node -e 'const [, file, path] = process.argv; console.log(path.split(".").reduce((value, key) => value?.[key], JSON.parse(require("fs").readFileSync(file, "utf8"))))' "$1" "$2"; }

in_namespace get --raw /readyz >/dev/null || exit 3
choose
version=$(in_namespace version -o json | sed -n '/serverVersion/,/}/s/.*"gitVersion": "\([^"]*\)".*/\1/p')
row 'Kubernetes, nodes' "$version, $(in_namespace get nodes --no-headers | wc -l)"
[[ -z ${K8S_STORAGE:-} ]] || row 'volume' 'left out: no default StorageClass, so the data is in the pod'

step 'apply, lab traffic, verification'
start=$SECONDS
stack up 2>&1 | tee "$work/up"
check 'make k8s-up, until the lab traffic was verified' "$((SECONDS - start)) s" test "${PIPESTATUS[0]}" = 0
row Grafana "$(sed -n 's/^Grafana \(skipped: .*\)/\1/p' "$work/up" | grep . || echo ready)"
check 'pods are let in as `restricted`, without a warning' 'yes' test -z "$(grep -i 'PodSecurity\|Warning' "$work/up")"
check 'lab traffic' "$(query 'sum(http_requests_total)') requests, $(query 'sum(http_errors_total{code="404"})') not found" \
  test "$(query 'sum(http_requests_total)')/$(query 'sum(http_errors_total{code="404"})')" = 100/33

step 'apply again'
generations() { in_namespace get deployment,statefulset,service,configmap,serviceaccount,networkpolicy,poddisruptionbudget,pod -o 'jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.metadata.generation}{"\n"}{end}' | sort; }
before=$(generations)
stack up 2>&1 | tee "$work/again"
check 'make k8s-up again' "$(sed -n 's/^applied: //p' "$work/again" | head -n 1)" grep -qE '^applied: [0-9]+ objects, 0 created, 0 changed$' "$work/again"
check 'what runs after it' 'as before, pod by pod' test "$before" = "$(generations)"

# Sharing a node with the control plane, a shard stalls now and then. With connections for two seconds of requests, it sends the requests
# due in the meantime late instead of dropping them.
step "load: $RATE requests/s for $DURATION from 4 pods, while the API is scaled and restarted"
stack load steady --rate "$RATE" --duration "$DURATION" --connections "$((RATE * 2))" --threshold errors=0 >"$work/load" 2>&1 &
load=$!
sending() { [[ -n $(in_namespace get job loadgen -o name 2>/dev/null) ]]; }
until_true 120 sending
counting() { [[ $(query 'sum(rate(http_requests_total[15s])) > bool 10') == 1 ]]; }
until_true 180 counting
scale_to 6 2
start=$SECONDS
in_namespace rollout restart deployment/api
check 'rolling restart of 6 pods, after' '' in_namespace rollout status deployment/api --timeout "${K8S_TIMEOUT}s"
add_time $((SECONDS - start))
scale_to 2 6
check 'the load still ran when that was done' 'yes' kill -0 "$load"
wait "$load"
status=$?
scale 2 10
cat "$work/load"
report=$(find "$REPORTS_FOLDER" -name '*.json' 2>/dev/null | sort | tail -n 1)
for name in sent answered unanswered dropped; do row "requests $name" "$(figure "$report" "phases.0.$name")"; done
check 'errors' "$(figure "$report" phases.0.errors)" test "$(figure "$report" phases.0.errors)" = 0
check 'verdict of the verification over 4 shards' "$(figure "$report" verification.verdict)" test "$(figure "$report" verification.verdict)" = verified
# The pattern's thresholds about speed depend on the machine, so they are only shown. Errors and counts are checked.
row 'thresholds of the pattern that did not hold' "$(sed -nE 's/^ *threshold (.*): FAILED (.*)$/\1 \2/p' "$work/load" | paste -sd ';' | grep . || echo none)"
row 'exit status of make k8s-load' "$status"

step 'verification of everything, alerts, autoscaler'
stack verify | tee "$work/verify"
verified=${PIPESTATUS[0]}
check 'make k8s-verify, over all runs' "$(grep '^verified: ' "$work/verify")" test "$verified" = 0
alerts=$(query 'count(ALERTS{alertname=~"Api.*|Prometheus.*",alertstate="firing"})')
check 'alerts that fired about the API or Prometheus' "${alerts:-0}" test -z "$alerts"
if has_metrics; then
  active() { in_namespace get horizontalpodautoscaler api -o 'jsonpath={.status.conditions[?(@.type=="ScalingActive")].status}' | grep -q True; }
  check 'the autoscaler knows the CPU' "$(in_namespace get horizontalpodautoscaler api --no-headers | awk '{ print $3, $4 }')" until_true 60 active
  in_namespace top pods --no-headers
else
  row 'autoscaler' 'left out: no metrics API; it kept the number of pods between its limits'
fi
row "Prometheus' memory, series in its head" "$(query 'round(process_resident_memory_bytes{job="prometheus"} / 1e6)') MB, $(query 'prometheus_tsdb_head_series')"
row 'memory of a pod of the API, largest' "$(query 'round(max(process_resident_memory_bytes{job="api"}) / 1e6)') MB"

step delete
stack down '' --volumes
check 'make k8s-down ARGS=--volumes leaves nothing' 'the namespace is gone' test -z "$(kubectl --context "$K8S_CONTEXT" get namespace observability-stack -o name --ignore-not-found)"

printf '\n| what | seen |\n|---|---|\n'
printf '%s\n' "${rows[@]}"
exit "$failed"
