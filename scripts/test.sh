#!/bin/sh
# Every check of the repository, in the order in which they are cheap; stops at the first that fails and says which.
# `test.sh unit` leaves out what needs a container engine; `test.sh faults [OPTION...]` breaks stacks, and nothing else: options
# are Jest's, a file's name for instance. What a machine cannot run is named at the end, with the reason.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/engine.sh"
. "$root/scripts/images.sh"
. "$root/scripts/node.sh"
. "$root/scripts/chromium.sh"
. "$root/scripts/kubectl.sh"
cd "$root" || exit 1

# check TITLE COMMAND...: its output is shown as it comes, because a test's own words are the best report.
check() {
  say ''
  say "== $1"
  title=$1
  shift
  "$@" </dev/null || fail 1 "$title: failed (status $?)."
}

# in_image IMAGE FOLDER PROGRAM WORDS...: a program of an image looks at a folder of this repository, and can do nothing else.
in_image() {
  image=$1
  folder=$2
  program=$3
  shift 3
  docker run --rm --network none --read-only --tmpfs /tmp --cap-drop ALL --user 65534:65534 \
    --volume "$root/$folder:/etc/$folder:ro" --workdir "/etc/$folder" --entrypoint "$program" "$image" "$@"
}

with_promtool() { in_image "$PROMETHEUS_IMAGE" prometheus promtool "$@"; }

rule_tests() {
  set --
  for file in "$root"/prometheus/tests/*.yml; do set -- "$@" "tests/${file##*/}"; done
  with_promtool test rules "$@"
}

say_left_out() {
  [ -z "$chromium_missing" ] || say "Left out: the tests that look at pages in a browser ($chromium_missing)."
  [ -z "$kubectl_missing" ] || say "Left out: the tests that need kubectl ($kubectl_missing)."
  [ -n "${KUBECONFIG:-}" ] || say 'Left out: the acceptance on a cluster (no KUBECONFIG names one); it is test/kubernetes/cluster.sh.'
}

# What the tests of real containers need to know of this machine.
prepare_containers() {
  say ''
  say '== container engine and images'
  check_settings
  ensure_engine
  require_own_project
  ALERTS=1 ensure_base_images
  ensure_grafana_image
  build_images
  [ -z "$grafana_missing" ] && export TEST_GRAFANA_IMAGE="$GRAFANA_IMAGE"
  export TEST_GRAFANA_MISSING="$grafana_missing"
  # testcontainers' janitor removes what a killed test run left. Its image comes from a registry only; every test removes
  # what it started, so without a registry it is switched off.
  if [ -n "$registry_silent" ] && [ -z "$(docker image ls --quiet testcontainers/ryuk)" ]; then
    export TESTCONTAINERS_RYUK_DISABLED=true
  fi
}

case ${1:-} in
  '' | unit | faults) ;;
  *) fail 2 "expected nothing, \"unit\" or \"faults\", got \"$1\"." 'usage: scripts/test.sh [unit | faults [OPTION...]]' ;;
esac

ensure_node_modules
if [ "${1:-}" = faults ]; then
  shift
  prepare_containers
  check 'faults (jest)' npm run --silent test:faults -- "$@"
  [ -z "$grafana_missing" ] || say "Left out: the faults of Grafana ($grafana_missing)."
  exit 0
fi
ensure_chromium
find_kubectl
[ -n "$kubectl_missing" ] || export TEST_KUBECTL="$kubectl_program"
check 'lint (biome, dependency-cruiser, shellcheck)' npm run --silent lint
check 'types (tsc)' npm run --silent types
check 'unit tests (jest)' npm run --silent test:unit
check 'known flaws of dependencies (npm audit)' "$root/scripts/supply.sh" audit
if [ "${1:-}" = unit ]; then
  say ''
  say 'All that needs no container engine passed. Left out: promtool and the integration tests (make test).'
  say_left_out
  exit 0
fi

prepare_containers
check 'Prometheus configuration and rules (promtool check config)' with_promtool check config --lint all --lint-fatal prometheus.yml
check 'rule tests (promtool test rules)' rule_tests
check 'Alertmanager configuration (amtool check-config)' in_image "$ALERTMANAGER_IMAGE" prometheus amtool check-config alertmanager.yml
check 'integration tests (jest, testcontainers)' npm run --silent test:integration

say ''
say 'Everything passed.'
[ -z "$grafana_missing" ] || say "Left out: the tests that need Grafana ($grafana_missing)."
say_left_out
