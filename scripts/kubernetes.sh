#!/bin/sh
# Runs the stack on the cluster of kubectl's current context: kubernetes/ as kustomize renders it, with the images of this site.
# Exit status: 0 success, 1 a step or a check failed, 2 a wrong command or setting, 3 kubectl is missing, or the cluster, an
# image or Prometheus is unreachable, 130 interrupted.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"
. "$root/scripts/cluster-images.sh"
. "$root/scripts/cluster-load.sh"

usage='usage: scripts/kubernetes.sh up | load [PATTERN] [OPTION... | --stop] | verify [OPTION...] | down [--volumes]'
namespace=observability-stack
timeout=${K8S_TIMEOUT:-180}
reports=${REPORTS_FOLDER:-$root/reports}
ours=app.kubernetes.io/part-of=observability-stack

# Limits the duration of every request, but not of a command in a pod. kubectl repeats watches until their --timeout.
cluster() { "$kubectl_program" --context "$context" --request-timeout "$([ "$timeout" -lt 30 ] && echo "$timeout" || echo 30)s" "$@"; }
in_namespace() { cluster --namespace "$namespace" "$@"; }
get() { in_namespace get "$@"; }
check_seconds() { case $2 in '' | *[!0-9]*) fail 2 "$1: expected a whole number of seconds, got \"$2\"" ;; esac; }

# Chooses K8S_CONTEXT, or else the current context if it is local. All calls name the context, in case the current one changes.
choose_context() {
  kubectl_program=$(ensure_kubectl) || fail 3 'no kubectl on this machine, and none could be installed.' \
    'Install it (https://kubernetes.io/docs/tasks/tools/), then run this command again.' "$how_to_install"
  context=${K8S_CONTEXT:-$("$kubectl_program" config current-context 2>/dev/null)} ||
    fail 3 'kubectl has no current context.' \
      'Choose one (kubectl config use-context NAME), name one (K8S_CONTEXT=NAME), or create one (kind create cluster).'
  case $context in
    "${K8S_CONTEXT:-}" | kind-* | k3d-* | minikube | microk8s | docker-desktop | orbstack | rancher-desktop | colima | colima-*) ;;
    *)
      server=$("$kubectl_program" config view --minify --output 'jsonpath={.clusters[0].cluster.server}')
      fail 2 "the context \"$context\" ($server) is not a local cluster, so it must be named." "To use it: K8S_CONTEXT=$context"
      ;;
  esac
  reason=$(cluster get --raw /readyz 2>&1) ||
    fail 3 "the cluster of the context \"$context\" does not answer: $(printf '%s' "$reason" | tail -n 1)"
}

# Sets overlay to the folder to apply.
choose_overlay() {
  overlay=${K8S_OVERLAY:-}
  case ${K8S_STORAGE:-}/$overlay in
    /) overlay=$root/kubernetes/base ;;
    ephemeral/) overlay=$root/kubernetes/overlays/ephemeral ;;
    /*) [ -e "$overlay/kustomization.yaml" ] || fail 2 "K8S_OVERLAY: expected a folder with a kustomization.yaml, got \"$overlay\"" ;;
    ephemeral/*) fail 2 "K8S_STORAGE, K8S_OVERLAY: expected one of the two, got both" ;;
    *) fail 2 "K8S_STORAGE: expected \"ephemeral\" or nothing, got \"$K8S_STORAGE\"" ;;
  esac
  render "$overlay" >"$work/stack.yaml" || fail 2 "kustomize cannot render \"$overlay\", see above."
  ! grep -q '^  volumeClaimTemplates:' "$work/stack.yaml" ||
    cluster get storageclass --output 'jsonpath={range .items[*]}{.metadata.annotations.storageclass\.kubernetes\.io/is-default-class}{"\n"}{end}' |
    grep -qx true || fail 3 'the cluster has no default StorageClass, so Prometheus would never get its volume.' \
    'Make one the default or, for a trial, keep the data in the pod: K8S_STORAGE=ephemeral'
}

# Refuses to change anything but images, because the running stack may come from another overlay or other settings.
confirm_changes() {
  different=0
  # The namespace may exist before the stack, for its secrets. Without a namespace, kubectl diff fails.
  [ -n "$(get deployment,statefulset --selector "$ours" --output name)" ] || return 0
  cluster diff -f "$work/stack.yaml" >"$work/diff" 2>"$work/error" || [ $? = 1 ] || fail 1 'kubectl cannot compare the cluster:' "$(tail -n 1 "$work/error")"
  # The diff of a new object has no lines before the change (-0,0).
  different=$(awk '/^diff / { first = 1 } /^@@ -[1-9]/ && first { n += 1; first = 0 } END { print n + 0 }' "$work/diff")
  grep '^[-+] ' "$work/diff" | grep -vE '^. +(image|generation): ' >"$work/changes"
  [ "$different" = 0 ] || [ ! -s "$work/changes" ] || [ "${K8S_CHANGES:-}" = apply ] || {
    say 'The running stack differs:'
    sed -n '/^@@ -0,0/,/^diff /!p' "$work/diff" | grep -vE '^(\+\+\+|diff) ' | cut -c 1-160 | head -n 60 >&2
    fail 2 'this would change the running stack, see above.' 'To change it: K8S_CHANGES=apply' \
      'To keep the overlay from which it was applied: K8S_OVERLAY=FOLDER'
  }
}

up() {
  prepare_images
  choose_overlay
  confirm_changes
  cluster apply -f "$work/stack.yaml" >"$work/applied" || fail 1 'the cluster rejected the manifests, see above.'
  say "applied: $(grep -c '' "$work/applied") objects, $(grep -c ' created$' "$work/applied") created, $different changed"
  run_step 'waiting until the API, Prometheus and the ledger are ready' wait_for_core || {
    explain app.kubernetes.io/name
    fail 1 'the stack did not become ready, see above.' "To wait for longer than $timeout seconds: K8S_TIMEOUT=SECONDS"
  }
  remove_old_configuration
  run_step 'waiting for Grafana' wait_until "$timeout" grafana_has_settled || echo "not ready within $timeout s" >"$work/grafana"
  [ ! -s "$work/grafana" ] || say "Grafana skipped: $(cat "$work/grafana")"
  if has_records '*.json'; then
    say 'Skipped: the lab traffic, because the ledger already has records.'
  else
    load lab || exit $?
  fi
  printf '\nTo reach the stack from this machine, each in a separate terminal:\n' >&2
  for service in 'api-balanced 5001:5001' 'prometheus 9090:9090' 'grafana 3000:3000'; do
    say "  kubectl --context $context --namespace $namespace port-forward service/$service"
  done
  say ''
  say 'Next: make k8s-load PATTERN=steady ARGS="--rate 500"   make k8s-verify   make k8s-down'
}

# Also waits until the autoscaler has raised the number of pods to its minimum.
wait_for_core() {
  for name in statefulset/prometheus statefulset/ledger; do
    in_namespace rollout status "$name" --timeout "${timeout}s" || return 1
  done
  wait_until "$timeout" at_least_minimum && in_namespace rollout status deployment/api --timeout "${timeout}s"
}
at_least_minimum() {
  minimum=$(get horizontalpodautoscaler api --output 'jsonpath={.spec.minReplicas}')
  [ "$(get deployment api --output 'jsonpath={.spec.replicas}')" -ge "${minimum:-1}" ]
}

# A changed file creates a ConfigMap with a new name; nothing uses the previous one any longer.
remove_old_configuration() {
  sed 's/ .*//' "$work/applied" >"$work/names"
  get configmap --selector "$ours" --output name | grep -vxFf "$work/names" | grep -E -- '-[0-9a-z]{10}$' |
    while read -r name; do in_namespace delete "$name" --ignore-not-found >/dev/null; done
}

# The stack works without Grafana, whose image some sites cannot pull.
grafana_has_settled() {
  : >"$work/grafana"
  [ "$(get deployment grafana --output 'jsonpath={.status.availableReplicas}')" != 1 ] || return 0
  get pods --selector app.kubernetes.io/name=grafana \
    --output 'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}' >"$work/grafana"
  grep -qE 'ErrImagePull|ImagePullBackOff|ErrImageNeverPull' "$work/grafana"
}

# explain SELECTOR: prints why pods do not run or have failed: their state, events and last log lines.
explain() {
  {
    get pods --selector "$1"
    get pods --selector "$1" --output name | sed 's|^pod/||' >"$work/pods"
    get events --field-selector type=Warning --output 'jsonpath={range .items[*]}{.involvedObject.name}: {.reason}: {.message}{"\n"}{end}' |
      grep -Ff "$work/pods" | sort -u
    in_namespace logs --selector "$1" --prefix --tail 5 --all-containers
  } >&2
}

# Keeps the namespace and Prometheus' volume claim, unless --volumes is given.
down() {
  case ${1:-} in '' | --volumes) ;; *) fail 2 "expected nothing or --volumes, got \"$1\"." "$usage" ;; esac
  run_step 'removing the stack' in_namespace delete --ignore-not-found --timeout "${timeout}s" --selector "$ours" \
    job,deployment,statefulset,service,serviceaccount,configmap,horizontalpodautoscaler,poddisruptionbudget,networkpolicy,priorityclass &&
    if [ $# = 0 ]; then run_step 'waiting until its pods are gone' in_namespace wait --for delete pod --all --timeout "${timeout}s"; else
      run_step 'removing its volumes and its namespace' cluster delete namespace "$namespace" --ignore-not-found --timeout "${timeout}s"
    fi
}

case ${1:-} in up | load | verify | down) ;; *) fail 2 "expected a command, got \"${1:-}\"." "$usage" ;; esac
check_seconds K8S_TIMEOUT "$timeout"
check_load_settings
choose_context
work=$(mktemp -d) || fail 1 'cannot create a temporary folder.'
trap 'rm -rf "$work"; tidy_console' EXIT
"$@"
