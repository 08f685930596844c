#!/bin/sh
# Prometheus alone, for docs/tutorial.md: `tutorial.sh up` and `tutorial.sh down`. The programs of the tutorial run outside of
# any container, as a person starts them. Exit status as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/engine.sh"
. "$root/scripts/images.sh"
folder=${TUTORIAL_FOLDER:-$root/docs/tutorial}

COMPOSE_PROJECT_NAME=$COMPOSE_PROJECT_NAME-tutorial

tutorial_compose() { docker compose --project-directory "$folder" "$@"; }

case ${1:-} in
  up)
    check_settings
    ensure_engine
    require_own_project "$folder"
    ensure_base_images
    # One that does not start leaves nothing; one that was there stays.
    [ -n "$(tutorial_compose ps --quiet 2>/dev/null)" ] || trap 'tutorial_compose down >/dev/null 2>&1; forget_step_log' EXIT
    run_step 'starting Prometheus' tutorial_compose up --detach --wait --wait-timeout 60 ||
      fail 1 'Prometheus did not start.' "Is port $PROMETHEUS_HOST_PORT taken by the whole stack? Stop it with: make down"
    trap forget_step_log EXIT
    say "Prometheus    http://localhost:$PROMETHEUS_HOST_PORT, scrapes localhost:8000 every second"
    ;;
  down)
    require_own_project "$folder"
    run_step 'stopping Prometheus' tutorial_compose down --remove-orphans || fail 1 'Prometheus could not be stopped.'
    ;;
  *) fail 2 "expected \"up\" or \"down\", got \"${1:-}\"." 'usage: scripts/tutorial.sh up | down' ;;
esac
