# Reads .env, lets the environment win over it, and checks what Compose would only fail on later. Sourced, never run.

# As Compose reads it: everything after the first = is the value, quotes around the whole of it are not part of it, and the
# last line needs no end.
while IFS= read -r line || [ -n "$line" ]; do
  case $line in '' | '#'*) continue ;; esac
  name=${line%%=*} value=${line#*=}
  case $value in \"*\" | \'*\') value=${value#?} && value=${value%?} ;; esac
  if eval "[ -z \"\${$name+set}\" ]"; then eval "$name=\$value"; fi
  # shellcheck disable=SC2163 # the name in the variable is what is exported
  export "$name"
done <"$root/.env"

# Attestations would give an unchanged build a new image each time, and `make up` would replace running containers.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
# A site with its own certificate authority: the build that runs `npm ci` trusts what this machine trusts.
[ -n "${BUILD_CA_FILE:-}" ] ||
  for BUILD_CA_FILE in "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /dev/null; do
    [ ! -r "$BUILD_CA_FILE" ] || break
  done
export BUILD_CA_FILE

compose() { docker compose --project-directory "$root" --file "$root/docker-compose.yml" "$@"; }

value_of() { eval "printf '%s' \"\$$1\""; }
is_default() { grep -qxF "$1=$(value_of "$1")" "$root/.env"; }
is_whole_number() { case $1 in '' | *[!0-9]* | 0* | ??????*) return 1 ;; esac; }

# What Compose takes, and the name of an image can begin with.
is_project_name() { case $1 in '' | *[!a-z0-9_-]* | [_-]* | *[_-] | *___* | *_-* | *-_*) return 1 ;; esac; }
expected_project_name() {
  echo "COMPOSE_PROJECT_NAME: expected lower-case letters and digits, with \"-\" or \"_\" between them, got \"$COMPOSE_PROJECT_NAME\""
}

port_names=$(sed -n 's/^\([A-Z_]*_HOST_PORT\)=.*/\1/p' "$root/.env")
# The n-th replica takes the n-th port from each of these on.
replica_ports='API_HOST_PORT API_LAB_HOST_PORT METRICS_HOST_PORT'

# last_port NAME: the last port that a setting takes.
last_port() {
  case " $replica_ports " in *" $1 "*) echo $(($(value_of "$1") + API_REPLICAS - 1)) ;; *) value_of "$1" ;; esac
}

# Every problem at once, one a line, as the API reports its own.
check_settings() {
  problems=$(list_problems)
  [ -z "$problems" ] || {
    printf '%s\n' "$problems" >&2
    exit 2
  }
}
list_problems() {
  is_project_name "$COMPOSE_PROJECT_NAME" || expected_project_name
  is_whole_number "$API_REPLICAS" || echo "API_REPLICAS: expected a whole number from 1, got \"$API_REPLICAS\""
  for name in $port_names; do
    is_whole_number "$(value_of "$name")" && [ "$(value_of "$name")" -le 65535 ] ||
      echo "$name: expected a port from 1 to 65535, got \"$(value_of "$name")\""
  done
  # Docker would make a folder of that name.
  [ -z "${ALERTS:-}" ] || (cd "$root" && [ -f "$ALERTMANAGER_CONFIG" ]) ||
    echo "ALERTMANAGER_CONFIG: expected a file, got \"$ALERTMANAGER_CONFIG\""
}
