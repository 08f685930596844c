#!/bin/sh
# Asks a learner questions about the running stack (docs/tutorial.md). ANSWERS=1 shows the solutions. Progress is kept in
# .cache/lab.json. Exit status as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"

require_running prometheus
ensure_node_modules
cd "$root" && npm run --silent build --workspace loadgen >&2 || fail 1 'the build failed.'
# promtool, in Prometheus' container, tries an answer in other scenarios. It needs TMPDIR because the root file system is read-only.
exec node_modules/.bin/node lab/src/main.ts --prometheus "http://localhost:$PROMETHEUS_HOST_PORT" \
  --progress "${LAB_PROGRESS:-$root/.cache/lab.json}" ${ANSWERS:+--answers} -- \
  docker compose --project-directory "$root" --file "$root/docker-compose.yml" exec -T --env TMPDIR=/dev/shm prometheus promtool
