# Reads .env.local and .env; the former takes precedence over the latter, and the environment over both. Checks values on which Compose
# would fail only later. Sourced.

# Like Compose: the value is everything after the first =, without enclosing quotes.
for file in "$root/.env.local" "$root/.env"; do
  [ -e "$file" ] || continue
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in '' | '#'*) continue ;; esac
    name=${line%%=*} value=${line#*=}
    case $value in \"*\" | \'*\') value=${value#?} && value=${value%?} ;; esac
    if eval "[ -z \"\${$name+set}\" ]"; then eval "$name=\$value"; fi
    # shellcheck disable=SC2163 # the name in the variable is what is exported
    export "$name"
  done <"$file"
done

# With attestations, each build would create a new image even if nothing changed, and `make up` would replace running containers.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
# For sites with their own certificate authority: the build that runs `npm ci` trusts the same authorities as this machine.
[ -n "${BUILD_CA_FILE:-}" ] ||
  for BUILD_CA_FILE in "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /dev/null; do
    [ ! -r "$BUILD_CA_FILE" ] || break
  done
export BUILD_CA_FILE

# Omits the feature that crashes the fallback image; see .env.
prometheus_features() { case $PROMETHEUS_IMAGE in observability-stack/*) echo "${PROMETHEUS_FEATURES#created-timestamp-zero-ingestion,}" ;; *) echo "$PROMETHEUS_FEATURES" ;; esac; }
compose() {
  PROMETHEUS_FEATURES=$(prometheus_features) docker compose --project-directory "$root" --file "$root/docker-compose.yml" \
    ${REMOTE_WRITE_URL:+--file "$root/docker-compose.remote-write.yml"} "$@"
}

value_of() { eval "printf '%s' \"\$$1\""; }
is_default() { grep -qxF "$1=$(value_of "$1")" "$root/.env"; }
is_port() { case $1 in '' | *[!0-9]* | 0* | ??????*) return 1 ;; esac && [ "$1" -le 65535 ]; }

# A name that Compose accepts and that an image name can start with.
is_project_name() { case $1 in '' | *[!a-z0-9_-]* | [_-]* | *[_-] | *___* | *_-* | *-_*) return 1 ;; esac; }
expected_project_name() {
  echo "COMPOSE_PROJECT_NAME: expected lower-case letters and digits, with \"-\" or \"_\" between them, got \"$COMPOSE_PROJECT_NAME\""
}

port_names=$(sed -n 's/^\([A-Z_]*_HOST_PORT\)=.*/\1/p' "$root/.env")
# The n-th replica uses the n-th port, counted from each of these.
replica_ports='API_HOST_PORT API_LAB_HOST_PORT METRICS_HOST_PORT'

last_port() { case " $replica_ports " in *" $1 "*) echo $(($(value_of "$1") + API_REPLICAS - 1)) ;; *) value_of "$1" ;; esac; }
port_range() { [ "$(value_of "$1")" = "$(last_port "$1")" ] || printf '%s-' "$(value_of "$1")" && last_port "$1"; }
# other_port NAME: prints a port to suggest as a replacement.
other_port() {
  port=$(value_of "$1")
  if ! is_port "$port"; then echo PORT; elif [ "$port" -le 55535 ]; then echo $((port + 10000)); else echo $((port - 10000)); fi
}

# Reports all problems at once, one per line, like the API.
check_settings() {
  problems=$(list_problems)
  [ -z "$problems" ] || { say "$problems" && exit 2; }
}
list_problems() {
  is_project_name "$COMPOSE_PROJECT_NAME" || expected_project_name
  is_port "$API_REPLICAS" || { echo "API_REPLICAS: expected a whole number from 1 to 65535, got \"$API_REPLICAS\"" && API_REPLICAS=1; }
  taken=''
  for name in $port_names; do
    is_port "$(value_of "$name")" || { echo "$name: expected a port from 1 to 65535, got \"$(value_of "$name")\"" && continue; }
    is_port "$(last_port "$name")" || echo "$name: expected ports up to 65535 for $API_REPLICAS replicas, got $(port_range "$name")"
    for other in $taken; do
      [ "$(value_of "$name")" -gt "$(last_port "$other")" ] || [ "$(last_port "$name")" -lt "$(value_of "$other")" ] ||
        echo "$name: expected ports that no other setting uses, got $(port_range "$name"), which overlaps $other=$(port_range "$other")"
    done
    taken="$taken $name"
  done
  # Otherwise Docker would create a folder of that name.
  [ -z "${ALERTS:-}" ] || (cd "$root" && [ -f "$ALERTMANAGER_CONFIG" ]) ||
    echo "ALERTMANAGER_CONFIG: expected a file, got \"$ALERTMANAGER_CONFIG\""
  case ${REMOTE_WRITE_URL:-} in
    '') ;;
    http://?* | https://?*)
      case ${REMOTE_WRITE_NATIVE_HISTOGRAMS:-} in
        true | false) ;;
        *) echo "REMOTE_WRITE_NATIVE_HISTOGRAMS: expected true or false, got \"$REMOTE_WRITE_NATIVE_HISTOGRAMS\"" ;;
      esac
      [ -n "${CLUSTER_NAME:-}" ] || echo 'CLUSTER_NAME: expected a name with REMOTE_WRITE_URL, got ""'
      [ -z "${REMOTE_WRITE_USERNAME:-}" ] || [ -n "${REMOTE_WRITE_CREDENTIALS:-}" ] ||
        echo "REMOTE_WRITE_CREDENTIALS: expected the password of REMOTE_WRITE_USERNAME=$REMOTE_WRITE_USERNAME, got \"\""
      ;;
    *) echo "REMOTE_WRITE_URL: expected an http or https URL, got \"$REMOTE_WRITE_URL\"" ;;
  esac
}
