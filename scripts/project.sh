# Checks before a command changes a stack: is the engine available, does the stack of this name belong to this folder, and is no
# other command changing it? Sourced. docs/operations.md lists the exit statuses.

engine_answers() { engine_error=$(docker version --format '{{.Server.Version}}' 2>&1 >/dev/null); }
is_refused() { case $engine_error in *[Pp]'ermission denied'*) ;; *) return 1 ;; esac; }

# Prints the engine that the user chose by name, if any. The scripts must not start another engine in its place.
chosen_engine() {
  if [ -n "${DOCKER_HOST:-}" ]; then
    echo " at DOCKER_HOST=$DOCKER_HOST"
  elif [ -n "${DOCKER_CONTEXT:-}" ]; then
    echo " in DOCKER_CONTEXT=$DOCKER_CONTEXT"
  elif command -v docker >/dev/null 2>&1; then
    context=$(docker context inspect --format '{{.Name}}' 2>/dev/null)
    [ "$context" = default ] || echo " in the current Docker context${context:+ \"$context\"}"
  fi
}

# refuse_engine HINT...: explains why engine_answers failed, and exits.
refuse_engine() {
  chosen=$(chosen_engine)
  reason=$(printf '%s' "$engine_error" | tail -n 1)
  ! is_refused || fail 6 "this user may not use the container engine$chosen." "$reason" \
    'Add the user to its group (sudo usermod -aG docker "$USER", then log in again) or run make as root.'
  [ -z "$chosen" ] || set -- 'Start that engine, or choose another one.'
  fail 5 "no container engine answers$chosen." "$reason" "$@"
}

folder_label=observability-stack.folder

# require_own_project [FOLDER]: fails if another existing clone has started containers under the same name or owns the data. FOLDER
# is the folder of the Compose file, if it is not the root.
# shellcheck disable=SC2120,SC3013 # tutorial.sh gives a folder; dash, bash and BusyBox have -ef
require_own_project() {
  is_project_name "$COMPOSE_PROJECT_NAME" || fail 2 "$(expected_project_name)"
  engine_answers || refuse_engine 'If an engine is installed, start it. If not, make up shows how to install one.'
  owner=$({
    docker ps --all --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
      --format 'containers {{.Label "com.docker.compose.project.working_dir"}}'
    docker volume inspect --format "data {{index .Labels \"$folder_label\"}}" "${COMPOSE_PROJECT_NAME}_prometheus-data" 2>/dev/null
  } | while read -r kind folder; do
    [ -z "$folder" ] || [ "$folder" -ef "${1:-$root}" ] || { [ "$kind" = data ] && is_gone "$folder"; } || { echo "$folder" && break; }
  done)
  [ -z "$owner" ] || fail 7 "the stack \"$COMPOSE_PROJECT_NAME\" belongs to another folder: $owner" \
    'Nothing was changed. Give this clone its own name and host ports, in its .env or before each command:' \
    "COMPOSE_PROJECT_NAME=$COMPOSE_PROJECT_NAME-2$(for name in $port_names; do printf ' %s' "$name=$(other_port "$name")"; done) make up" \
    "If that folder was moved here: docker compose --project-name $COMPOSE_PROJECT_NAME down"
}

# A folder that the current user cannot see, for example in another user's home, still exists.
is_gone() {
  [ ! -d "$1" ] || return 1
  above=$(dirname -- "$1")
  while [ ! -d "$above" ]; do above=$(dirname -- "$above"); done
  [ -x "$above" ]
}

# Creates the volume as Compose would, with an additional label for its folder, because the data outlives the containers.
claim_data() {
  docker volume create --label "$folder_label=$root" --label "com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
    --label com.docker.compose.volume=prometheus-data "${COMPOSE_PROJECT_NAME}_prometheus-data" >/dev/null ||
    fail 1 "the volume for Prometheus' data could not be created."
}

is_running() { [ -n "$(compose ps --quiet --status running "$1" 2>/dev/null)" ]; }
require_running() {
  require_own_project
  is_running "$1" || fail 3 'the stack is not running.' 'Start it with: make up'
}

# macOS has no flock, but it has Perl.
lock_file() {
  if command -v flock >/dev/null; then flock -n 9; else perl -e 'use Fcntl ":flock"; open(L, "<&=9") && flock(L, LOCK_EX | LOCK_NB) or exit 1'; fi
}

# take_lock COMMAND: takes a flock(2) lock, which the kernel releases when this script and all its child processes have ended. A
# read-only checkout cannot store the name of the command.
take_lock() {
  lock=$root/.cache/$COMPOSE_PROJECT_NAME.lock
  { mkdir -p "$root/.cache" && : >>"$lock"; } 2>/dev/null || lock=$root/docker-compose.yml
  exec 9<"$lock"
  seconds=0
  until lock_file; do
    # The child processes of an interrupted command may end a little later than the command.
    holder=$(sed -n '1s/.*(process \([0-9]*\))$/\1/p' "$lock")
    [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null && [ "$seconds" -lt 60 ] ||
      fail 4 "another command is changing this stack$(sed -n '1s/^make /: &/p' "$lock")." 'Nothing was changed. Run this again when it has finished.'
    seconds=$((seconds + 1))
    sleep 1
  done
  [ "$lock" = "$root/docker-compose.yml" ] || echo "$1 (process $$)" >"$lock"
}
