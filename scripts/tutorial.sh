#!/bin/sh
# Starts only Prometheus, for docs/tutorial.md. Readers start the programs of the tutorial themselves, outside of containers. Exit
# status as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"
folder=${TUTORIAL_FOLDER:-$root/docs/tutorial}
COMPOSE_PROJECT_NAME=$COMPOSE_PROJECT_NAME-tutorial

check_settings
ensure_engine
require_own_project "$folder"
ensure_images
cd "$folder" || exit 1
# If Prometheus does not start, removes it, unless it was there before.
[ -n "$(docker compose ps --quiet 2>/dev/null)" ] || trap 'docker compose down >/dev/null 2>&1; tidy_console' EXIT
run_step 'starting Prometheus' docker compose up --detach --wait --wait-timeout 60 ||
  fail 1 'Prometheus did not start.' "Does the whole stack use port $PROMETHEUS_HOST_PORT? Stop it with: make down"
trap tidy_console EXIT
say "Prometheus    http://localhost:$PROMETHEUS_HOST_PORT, scrapes localhost:8000 every second"
say "              Stop it with: docker compose --project-name $COMPOSE_PROJECT_NAME down"
