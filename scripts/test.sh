#!/bin/sh
# Every check of the repository, in the order in which they are cheap; stops at the first that fails and names it.
# `test.sh unit` leaves out what needs a container engine; `test.sh faults [OPTION...]` breaks stacks, and nothing else: options
# are Jest's, a file's name for instance. What a machine cannot run is named at the end, with the reason.
# `test.sh bench [quick]` runs the benchmarks instead, and writes the tables of the docs; quick is a short look that writes nothing.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"
cd "$root" || exit 1

# check TITLE COMMAND...: its output is shown as it comes, because a test's own words are the best report.
check() {
  title=$1
  shift
  printf '\n== %s\n' "$title" >&2
  "$@" </dev/null || fail 1 "$title: failed (status $?)."
}

# in_image IMAGE PROGRAM WORDS...: a program of an image looks at prometheus/, and can do nothing else.
in_image() {
  image=$1 program=$2
  shift 2
  docker run --rm --network none --read-only --tmpfs /tmp --cap-drop ALL --user 65534:65534 \
    --volume "$root/prometheus:/etc/prometheus:ro" --workdir /etc/prometheus --entrypoint "$program" "$image" "$@"
}

# left_out WHAT: at the end.
summary=''
left_out() {
  summary="$summary
Left out: $1."
}

# What the tests of real containers need to know of this machine.
prepare_containers() {
  check_settings
  ensure_engine
  # Images of this clone's tests alone: whatever runs under the project's name goes on with its own.
  COMPOSE_PROJECT_NAME="$COMPOSE_PROJECT_NAME-test-$(pwd | cksum | cut -d ' ' -f 1)" && export COMPOSE_PROJECT_NAME
  trap 'docker image rm "$COMPOSE_PROJECT_NAME/app" "$COMPOSE_PROJECT_NAME/loadgen" >/dev/null 2>&1; tidy_console' EXIT
  ALERTS=1 ensure_images
  ensure_grafana
  build_images
  export TEST_GRAFANA_MISSING="$grafana_missing"
  if [ -n "$grafana_missing" ]; then left_out "the tests of Grafana ($grafana_missing)"; else export TEST_GRAFANA_IMAGE="$GRAFANA_IMAGE"; fi
  image_present "$VICTORIA_FALLBACK" || ! may_install || ! is_debian || ! { command -v mmdebstrap >/dev/null || apt_install mmdebstrap; } ||
    run_step 'building an image of VictoriaMetrics from Debian' build_fallback_image VICTORIA_IMAGE
  if image_present "$VICTORIA_FALLBACK"; then export TEST_VICTORIA_IMAGE="$VICTORIA_FALLBACK"; else
    left_out "the test that sends everything on to VictoriaMetrics (its image is built on Debian, as root)"
  fi
  # testcontainers' janitor removes what a killed test run left. Its image comes from a registry only; every test removes
  # what it started, so without a registry it is switched off.
  ! registry_is_silent || [ -n "$(docker image ls --quiet testcontainers/ryuk)" ] || export TESTCONTAINERS_RYUK_DISABLED=true
}

bench() {
  # The server that is never the bottleneck, and the fastest peer. Without them that one table is left out, with a note.
  command -v nginx >/dev/null 2>&1 && command -v wrk >/dev/null 2>&1 || ! may_install || apt_install nginx-light wrk
  # The whole run has tables of a real Prometheus and of the idle stack; the short look has neither.
  [ "${1:-}" = quick ] || { check_settings && ensure_engine && ensure_images; }
  run_step 'building the API and the load generator' npm run --silent build || fail 1 'the build failed.'
  say 'The machine should do nothing else now: two cores are busy, one with the server and one with the client.'
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
    left_out 'the tests that look at pages in a browser (no Chromium on this machine, and none could be installed)'
  TEST_KUBECTL=$(ensure_kubectl) && export TEST_KUBECTL || left_out 'the tests that need kubectl (none on this machine, and none could be installed)'
  npm view express version --fetch-retries 1 >/dev/null 2>&1 || left_out 'the tests that install the package as its users do (npm reaches no registry)'
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
