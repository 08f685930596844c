#!/bin/sh
# Questions about the running stack, for a person who learns (docs/tutorial.md). ANSWERS=1 shows the solutions. What was
# answered is kept in .cache/lab.json. Exit status as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/engine.sh"
. "$root/scripts/node.sh"

require_own_project
[ -n "$(compose ps --quiet --status running prometheus 2>/dev/null)" ] ||
  fail 3 'the stack is not running.' 'Start it with: make up'
ensure_node_modules
# An answer is tried in other scenarios with the promtool of the Prometheus that runs; nothing is written to it
# (its root is read-only, and promtool wants a folder for its while).
cd "$root" && exec node_modules/.bin/node lab/src/main.ts --prometheus "http://localhost:$PROMETHEUS_HOST_PORT" \
  --progress "${LAB_PROGRESS:-$root/.cache/lab.json}" ${ANSWERS:+--answers} -- \
  docker compose --project-directory "$root" --file "$root/docker-compose.yml" exec -T --env TMPDIR=/dev/shm prometheus promtool
