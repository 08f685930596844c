#!/bin/sh
# Runs every check of the repository, the cheapest first, and stops at the first failure. `test.sh unit` skips checks that need a
# container engine. `test.sh faults [OPTION...]` runs only the tests that break stacks; options are Jest's, for example a file name.
# Checks that this machine cannot run are listed at the end, with the reason. `test.sh bench [quick]` runs the benchmarks instead, and
# writes the tables of the docs; with quick it runs briefly and writes nothing.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"
cd "$root" || exit 1

# check TITLE COMMAND...: runs a check and shows its output as it appears.
check() {
  title=$1 && shift
  printf '\n== %s\n' "$title" >&2
  "$@" </dev/null || fail 1 "$title: failed (status $?)."
}

# in_image IMAGE PROGRAM WORDS...: runs a program of an image. The program can read prometheus/ and has no network.
in_image() {
  image=$1 program=$2 && shift 2
  docker run --rm --network none --read-only --tmpfs /tmp --cap-drop ALL --user 65534:65534 \
    --volume "$root/prometheus:/etc/prometheus:ro" --workdir /etc/prometheus --entrypoint "$program" "$image" "$@"
}

# left_out WHAT: lists a skipped check at the end.
summary=''
left_out() {
  summary="$summary
Skipped: $1."
}

# Prepares this machine for the tests with real containers.
prepare_containers() {
  check_settings
  ensure_engine
  # The tests build their own images, so that a running stack of this clone keeps its images.
  COMPOSE_PROJECT_NAME="$COMPOSE_PROJECT_NAME-test-$(pwd | cksum | cut -d ' ' -f 1)" && export COMPOSE_PROJECT_NAME
  trap 'docker image rm "$COMPOSE_PROJECT_NAME/app" "$COMPOSE_PROJECT_NAME/loadgen" >/dev/null 2>&1; tidy_console' EXIT
  ALERTS=1 ensure_images
  # Installing the Python client in an image takes apt, which the fallback image of Node lacks.
  case $NODE_IMAGE in "$NODE_FALLBACK") PYTHON_IMAGE=python missing=PYTHON_IMAGE && use_fallback_images ;; esac
  ensure_grafana
  build_images
  export TEST_GRAFANA_MISSING="$grafana_missing"
  if [ -n "$grafana_missing" ]; then left_out "the tests of Grafana ($grafana_missing)"; else export TEST_GRAFANA_IMAGE="$GRAFANA_IMAGE"; fi
  image_present "$VICTORIA_FALLBACK" || ! may_install || ! is_debian ||
    run_step 'building an image of VictoriaMetrics from Debian' build_fallback_image VICTORIA_IMAGE
  if image_present "$VICTORIA_FALLBACK"; then export TEST_VICTORIA_IMAGE="$VICTORIA_FALLBACK"; else
    left_out "the test of remote write to VictoriaMetrics (only root on Debian can build its image)"
  fi
  # testcontainers' reaper removes containers of killed test runs. Its image comes only from a registry. Tests can run without the
  # reaper, because every test also removes its containers.
  ! registry_is_silent || [ -n "$(docker image ls --quiet testcontainers/ryuk)" ] || export TESTCONTAINERS_RYUK_DISABLED=true
}

bench() {
  # nginx is a server that is never the bottleneck; wrk is the fastest peer. Without them one table is skipped, with a note.
  command -v nginx >/dev/null 2>&1 && command -v wrk >/dev/null 2>&1 || ! may_install || apt_install nginx-light wrk
  # The full run also measures a real Prometheus and the idle stack; the quick one does not.
  [ "${1:-}" = quick ] || { check_settings && ensure_engine && ensure_images; }
  run_step 'building the API and the load generator' npm run --silent build || fail 1 'the build failed.'
  say 'Leave the machine idle now: the server and the client use one core each.'
  exec npm run --silent bench --workspace tools -- "$@"
}

what=${1:-all}
[ $# -eq 0 ] || shift
case $what in
  all | unit | faults | bench) ensure_node_modules ;;
  *) fail 2 "expected nothing, \"unit\", \"faults\" or \"bench\", got \"$what\"." 'usage: scripts/test.sh [unit | faults [OPTION...] | bench [quick]]' ;;
esac
[ "$what" != bench ] || bench "$@"
if [ "$what" = faults ]; then
  prepare_containers
  check 'faults (jest)' npm run --silent test:faults -- "$@"
else
  TEST_CHROMIUM=${TEST_CHROMIUM:-$(ensure_chromium)} && export TEST_CHROMIUM ||
    left_out 'the tests in a browser (Chromium is not installed, and could not be installed)'
  TEST_KUBECTL=$(ensure_kubectl) && export TEST_KUBECTL || left_out 'the tests with kubectl (it is not installed, and could not be installed)'
  npm view express version --fetch-retries 1 >/dev/null 2>&1 || left_out 'the tests that install the package like its users (npm cannot reach a registry)'
  check 'lint (biome, dependency-cruiser, shellcheck)' npm run --silent lint
  check 'types (tsc)' npm run --silent types
  check 'unit tests (jest)' npm run --silent test:unit
fi
[ "$what" != unit ] || left_out 'promtool and the integration tests (make test)'
if [ "$what" = all ]; then
  prepare_containers
  check 'Prometheus configuration and rules (promtool check config)' \
    in_image "$PROMETHEUS_IMAGE" promtool check config --lint all --lint-fatal prometheus.yml
  check 'rule tests (promtool test rules)' in_image "$PROMETHEUS_IMAGE" sh -c 'exec promtool test rules tests/*.yml'
  check 'Alertmanager configuration (amtool check-config)' in_image "$ALERTMANAGER_IMAGE" amtool check-config alertmanager.yml
  check 'integration tests (jest, testcontainers)' npm run --silent test:integration
fi
printf '\nEverything passed.%s\n' "$summary" >&2
