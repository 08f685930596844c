#!/bin/sh
# The benchmarks, each with its peers in the same run. Prints the tables and writes them to tools/bench/results/, which the README and
# the docs quote. `bench.sh quick` is a short look: its figures are not worth quoting and not written.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"
cd "$root" || exit 1

ensure_node_modules
# The server that is never the bottleneck, and the fastest peer. Without them that one table is left out, with a note.
command -v nginx >/dev/null 2>&1 && command -v wrk >/dev/null 2>&1 || ! may_install || apt_install nginx-light wrk
# The whole run has tables of a real Prometheus and of the idle stack; the short look has neither.
if [ "${1:-}" != quick ]; then
  check_settings
  ensure_engine
  ensure_images
fi
run_step 'building the API and the load generator' npm run --silent build || fail 1 'the build failed.'
say 'The machine should do nothing else now: two cores are busy, one with the server and one with the client.'
exec npm run --silent bench --workspace tools -- "$@"
