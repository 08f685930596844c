#!/usr/bin/env bash
# The acceptance on a real cluster, the one that KUBECONFIG names: start, lab traffic, load from four pods while the API is scaled and
# restarted, verification, removal. Nothing is built: the images are expected on the nodes. The table at the end is Markdown.
# PROMETHEUS_IMAGE and GRAFANA_IMAGE name images of the site's own; RATE (500) and DURATION (150s) the load.
# Exit status: 0 all well or left out, 1 a check did not hold, 3 the cluster does not answer.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
: "${RATE:=500}" "${DURATION:=150s}" "${K8S_TIMEOUT:=300}" "${KUBECTL:=kubectl}" "${START_IN:=60}"
[[ -n ${KUBECONFIG:-} ]] || {
  echo 'Left out: the acceptance on a cluster. KUBECONFIG names none.'
  exit 0
}
K8S_CONTEXT=${K8S_CONTEXT:-$("$KUBECTL" config current-context)} || exit 3
export K8S_TIMEOUT KUBECTL START_IN K8S_CONTEXT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export REPORTS_FOLDER=$work/reports

in_namespace() { "$KUBECTL" --context "$K8S_CONTEXT" --namespace observability-stack "$@"; }
stack() { "$root/scripts/kubernetes.sh" "$@" 2>&1 | tee "$work/$1"; }
# query PROMQL: asked inside Prometheus' own pod, which NetworkPolicies let through.
query() { in_namespace exec prometheus-0 -- promtool query instant http://127.0.0.1:9090 "$1" 2>/dev/null | sed -nE 's/.*=> ([^ ]+) @.*/\1/p' | head -n 1; }

rows=() failed=0
# check TITLE COMMAND...: a row with the seconds that it took, and with what COMMAND has left in seen.
check() {
  local title=$1 start=$SECONDS verdict=
  shift
  seen=
  "$@" || { verdict='**failed** ' && failed=1; }
  rows+=("| $title | $verdict${seen:+$seen, }$((SECONDS - start)) s |")
  echo "== ${rows[-1]}"
}
until_true() {
  local end=$((SECONDS + K8S_TIMEOUT))
  until "$@"; do ((SECONDS < end)) && sleep 1 || return 1; done
}

start() { stack up && seen=$(grep 'Grafana left out' "$work/up" || echo 'with Grafana'); }
lab_traffic() { seen="$(query 'sum(http_requests_total)')/$(query 'sum(http_errors_total{code="404"})')" && [[ $seen == 100/33 ]]; }
start_again() { stack up && seen=$(grep '^applied: ' "$work/up") && [[ $seen == *' 0 new, 0 different' ]]; }
no_warning() { ! grep -i 'PodSecurity\|Warning' "$work/up"; }
ready() { [[ $(in_namespace get deployment api -o 'jsonpath={.status.readyReplicas}/{.status.replicas}/{.spec.replicas}') == "$1/$1/$1" ]]; }
scraped() { [[ $(query 'count(up{job="api"} == 1)') == "$1" && $(query 'count(up{job="api"})') == "$1" ]]; }
# The autoscaler owns the number, so its limits are set: between them it would follow the CPU.
scale() { in_namespace patch horizontalpodautoscaler api --type merge -p "{\"spec\":{\"minReplicas\":$1,\"maxReplicas\":${2:-$1}}}" >/dev/null; }
scale_to() { scale "$1" && until_true ready "$1" && until_true scraped "$1"; }
restart() { in_namespace rollout restart deployment/api && in_namespace rollout status deployment/api --timeout "${K8S_TIMEOUT}s"; }
is_sending() { [[ $(query 'sum(rate(http_requests_total[15s])) > bool 10') == 1 ]]; }
load_ends() {
  wait "$load"
  seen=$(node -e '
    const { phases: [{ sent, errors, dropped }], verification } = require(process.argv.at(-1));
    console.log(`${sent} sent, ${errors} errors, ${dropped} dropped, ${verification?.verdict}`)' "$REPORTS_FOLDER"/*.json)
  [[ $seen == *' 0 errors, '*', verified' ]]
}
verify() { stack verify && seen=$(grep '^verified: ' "$work/verify"); }
no_alert() { seen=$(query 'count(ALERTS{alertname=~"Api.*|Prometheus.*",alertstate="firing"})') && [[ -z $seen ]]; }
remove() { stack down --volumes && [[ -z $("$KUBECTL" --context "$K8S_CONTEXT" get namespace observability-stack -o name --ignore-not-found) ]]; }

in_namespace get --raw /readyz >/dev/null || exit 3
in_namespace get storageclass -o 'jsonpath={.items[*].metadata.annotations.storageclass\.kubernetes\.io/is-default-class}' | grep -qw true ||
  export K8S_STORAGE=ephemeral
check 'make k8s-up' start
check 'pods are let in as `restricted`, without a warning' no_warning
check 'lab traffic: requests/not found' lab_traffic
check 'make k8s-up again' start_again
stack load steady --rate "$RATE" --duration "$DURATION" --threshold errors=0 >/dev/null &
load=$!
check "the load of $RATE requests/s for $DURATION from 4 pods sends" until_true is_sending
check '2 to 6 pods: all ready and scraped' scale_to 6
check 'rolling restart of 6 pods' restart
check '6 to 2 pods: none but these are scraped' scale_to 2
check 'the load still ran when that was done' kill -0 "$load"
check 'the load' load_ends
scale 2 10
check 'make k8s-verify, over all runs' verify
check 'no alert fired about the API or Prometheus' no_alert
check 'make k8s-down ARGS=--volumes leaves nothing' remove
printf '\n| what | seen |\n|---|---|\n'
printf '%s\n' "${rows[@]}"
exit "$failed"
