#!/bin/sh
# The stack on the cluster of kubectl's current context: up, load, verify, down. Called by the Makefile; may be called directly where
# the exact exit status matters. A context that is not local has to be confirmed. Everything that is applied is kubernetes/ with
# names of images and settings put in by kustomize.
# Exit status: 0 all well, 1 something failed or a check did not hold, 2 a wrong command or setting, 3 no kubectl, or the
# cluster, an image or Prometheus cannot be reached, 130 interrupted.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/engine.sh"
. "$root/scripts/images.sh"
. "$root/scripts/kubectl.sh"
. "$root/scripts/cluster-images.sh"
. "$root/scripts/cluster-load.sh"

usage='usage: scripts/kubernetes.sh up | load [PATTERN] [OPTION...] | verify | down [--volumes]'
timeout=${K8S_TIMEOUT:-180}
reports=${REPORTS_FOLDER:-$root/reports}

check_seconds() { case $2 in '' | *[!0-9]*) fail 2 "$1: expected a whole number of seconds, got \"$2\"" ;; esac; }

# A folder beside the ones that it refers to: kustomize takes no absolute paths.
open_work() {
  work=$(mktemp -d "$root/kubernetes/.work.XXXXXX") || fail 1 'no temporary folder could be made in kubernetes/.'
  trap 'rm -rf "$work"; forget_step_log' EXIT
}

# write_overlay FOLDER: a kustomization of that folder of kubernetes/ with the images of this cluster; more may be added to it.
write_overlay() {
  overlay=$(mktemp -d "$work/XXXXXX")
  {
    printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../%s]\n' "$1"
    printf 'generatorOptions: { disableNameSuffixHash: true }\nimages:\n'
    image_overrides
  } >"$overlay/kustomization.yaml"
}

# Says in one line what an apply changes. Not by the words of apply, to which a disruption budget is never as it was.
apply_overlay() {
  cluster diff -k "$overlay" >"$work/diff" 2>/dev/null
  cluster apply -k "$overlay" >"$work/applied" 2>"$work/said" || {
    cat "$work/said" >&2
    return 1
  }
  cat "$work/said" >&2
  say "applied: $(grep -c '' "$work/applied") objects, $(grep -c ' created$' "$work/applied") new, $(grep -c '^diff ' "$work/diff") different"
}

# The flag of another image's features, in the place of the default's. What is needed before 3.9 does nothing since.
choose_features() {
  default=$(sed -n 's/^PROMETHEUS_FEATURES=//p' "$root/.env")
  [ "$PROMETHEUS_FEATURES" != "$default" ] || is_default PROMETHEUS_IMAGE || PROMETHEUS_FEATURES=$default,native-histograms
  [ "$PROMETHEUS_FEATURES" != "$default" ] || return 0
  flags=/spec/template/spec/containers/0/args
  number=$(sed -n '/^ *args:$/,/^ *ports:$/s/^ *- --//p' "$root/kubernetes/base/prometheus/statefulset.yaml" | grep -n '^enable-feature=' | cut -d : -f 1)
  cat >>"$overlay/kustomization.yaml" <<E2
patches:
  - target: { kind: StatefulSet, name: prometheus }
    patch: |-
      - { op: test, path: $flags/$((number - 1)), value: '--enable-feature=$default' }
      - { op: replace, path: $flags/$((number - 1)), value: '--enable-feature=$PROMETHEUS_FEATURES' }
E2
}

choose_storage() {
  case ${K8S_STORAGE:-} in
    '')
      cluster get storageclass --output 'jsonpath={range .items[*]}{.metadata.annotations.storageclass\.kubernetes\.io/is-default-class}{"\n"}{end}' |
        grep -qx true || fail 3 'the cluster has no default StorageClass, so Prometheus would wait for its volume for ever.' \
          'Make one the default, or, to try things, keep the data in the pod: K8S_STORAGE=ephemeral'
      ;;
    ephemeral) echo 'components: [../../components/ephemeral]' >>"$overlay/kustomization.yaml" ;;
    *) fail 2 "K8S_STORAGE: expected \"ephemeral\" or nothing, got \"$K8S_STORAGE\"" ;;
  esac
}

up() {
  prepare_images
  write_overlay base
  choose_features
  choose_storage
  apply_overlay || fail 1 'the cluster did not take it; its words are above.'
  run_step 'waiting until the API and Prometheus are ready' wait_for_core || {
    in_namespace get pods,events >&2
    fail 1 'the API and Prometheus did not become ready; the lines above say why.' "They may take K8S_TIMEOUT=$timeout seconds."
  }
  run_step 'waiting for Grafana' wait_for_grafana
  [ ! -s "$work/grafana" ] || say "Grafana left out: $(cat "$work/grafana")"
  if ledger_exists; then
    say 'Traffic has been sent here before: none is sent now.'
  else
    load lab || exit $?
  fi
  show_access
}

# The autoscaler lifts the number of pods to its lower limit; until then the API is not complete.
wait_for_core() {
  in_namespace rollout status statefulset/prometheus --timeout "${timeout}s" &&
    in_namespace rollout status deployment/api --timeout "${timeout}s" &&
    wait_until at_least_minimum && in_namespace rollout status deployment/api --timeout "${timeout}s"
}

at_least_minimum() {
  minimum=$(in_namespace get horizontalpodautoscaler api --output 'jsonpath={.spec.minReplicas}')
  wanted=$(in_namespace get deployment api --output 'jsonpath={.spec.replicas}')
  [ "${wanted:-0}" -ge "${minimum:-1}" ]
}

# wait_until COMMAND...: asks once a second, for the time that everything here may take.
wait_until() {
  end=$(($(date +%s) + timeout))
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || return 1
    sleep 1
  done
}

# Its image is the one that some sites cannot have; the rest works without.
wait_for_grafana() { wait_until grafana_has_settled || true; }

grafana_has_settled() {
  : >"$work/grafana"
  [ "$(in_namespace get deployment grafana --output 'jsonpath={.status.availableReplicas}')" != 1 ] || return 0
  in_namespace get pods --selector app.kubernetes.io/name=grafana \
    --output 'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}' >"$work/grafana"
  grep -qE 'ErrImagePull|ImagePullBackOff|ErrImageNeverPull' "$work/grafana" && return 0
  echo "not ready within $timeout s" >"$work/grafana"
  return 1
}

show_access() {
  say ''
  say 'From this machine, each in a terminal of its own:'
  for service in 'api-balanced 5001:5001' 'prometheus 9090:9090' 'grafana 3000:3000'; do
    say "  kubectl --context $context --namespace $namespace port-forward service/$service"
  done
  say ''
  say 'Next: make k8s-load PATTERN=steady ARGS="--rate 500"   make k8s-verify   make k8s-down'
}

# What Prometheus has stored stays, in its claim, unless --volumes is given: then everything goes, the namespace too.
down() {
  case ${1:-} in
    '')
      run_step 'removing the stack; its volumes stay' in_namespace delete --ignore-not-found \
        --selector app.kubernetes.io/part-of=observability-stack \
        job,deployment,statefulset,service,serviceaccount,configmap,horizontalpodautoscaler,poddisruptionbudget,networkpolicy &&
        run_step 'waiting until its pods are gone' in_namespace wait --for delete pod --all --timeout "${timeout}s"
      ;;
    --volumes) run_step 'removing the stack, its volumes and its namespace' cluster delete namespace "$namespace" --ignore-not-found ;;
    *) fail 2 "expected nothing or --volumes, got \"$1\"." "$usage" ;;
  esac
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  up | load | verify | down) ;;
  *) fail 2 "expected a command, got \"$command\"." "$usage" ;;
esac
check_seconds K8S_TIMEOUT "$timeout"
require_kubectl
choose_context "$command"
open_work
"$command" "$@"
