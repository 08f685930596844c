# Reads .env, lets the environment win over it, and checks what Compose would only fail on later. Sourced, never run.

# As Compose reads it: everything after the first = is the value, quotes around the whole of it are not part of it, and the
# last line needs no end. (read alone would take a = at the end of a value for a separator.)
while IFS= read -r line || [ -n "$line" ]; do
  case $line in '' | '#'*) continue ;; esac
  name=${line%%=*}
  value=${line#*=}
  case $value in \"*\" | \'*\') value=${value#?} && value=${value%?} ;; esac
  if eval "[ -z \"\${$name+set}\" ]"; then eval "$name=\$value"; fi
  # shellcheck disable=SC2163 # the name in the variable is what is exported
  export "$name"
done <"$root/.env"

# Attestations would give an unchanged build a new image each time, and `make up` would replace running containers.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
# A site with its own certificate authority: the build that runs `npm ci` trusts what this machine trusts.
if [ -z "${BUILD_CA_FILE:-}" ]; then
  for file in "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt; do
    if [ -n "$file" ] && [ -r "$file" ]; then BUILD_CA_FILE=$file && break; fi
  done
fi
export BUILD_CA_FILE="${BUILD_CA_FILE:-/dev/null}"

port_names='API_HOST_PORT API_LAB_HOST_PORT METRICS_HOST_PORT PROMETHEUS_HOST_PORT GRAFANA_HOST_PORT ALERTMANAGER_HOST_PORT'

value_of() { eval "printf '%s' \"\$$1\""; }

is_port() {
  case $1 in '' | *[!0-9]* | ??????*) return 1 ;; esac
  [ "$1" -ge 1 ] && [ "$1" -le 65535 ]
}

# One to propose in the place of another.
other_port() {
  if ! is_port "$1"; then echo PORT; elif [ "$1" -le 55535 ]; then echo $(($1 + 10000)); else echo $(($1 - 10000)); fi
}

# What Compose takes, and the name of an image can begin with.
is_project_name() {
  case $1 in '' | *[!a-z0-9_-]* | [_-]* | *[_-] | *___* | *_-* | *-_*) return 1 ;; esac
}
expected_project_name() {
  echo "COMPOSE_PROJECT_NAME: expected lower-case letters and digits, with \"-\" or \"_\" between them, got \"$COMPOSE_PROJECT_NAME\""
}

# Every problem at once, one a line, as the API does it.
check_settings() {
  problems=''
  note() { problems="$problems$1
"; }
  is_project_name "$COMPOSE_PROJECT_NAME" || note "$(expected_project_name)"
  # As many as there are ports: set_port_range reckons with no other number.
  case $API_REPLICAS in 0*) false ;; *) is_port "$API_REPLICAS" ;; esac ||
    note "API_REPLICAS: expected a whole number from 1 to 65535, got \"$API_REPLICAS\""
  taken=''
  for name in $port_names; do
    set_port_range "$name"
    if ! is_port "$first" || ! is_port "$last" || [ "$first" -gt "$last" ]; then
      note "$name: expected a port from 1 to 65535, or a range such as 5001-5003, got \"$(value_of "$name")\""
      continue
    fi
    case " $replica_ports " in
      *" $name "*) ! is_port "$API_REPLICAS" || [ $((last - first)) -ge $((API_REPLICAS - 1)) ] ||
        note "$name: expected a port for each of $API_REPLICAS replicas, got $first-$last" ;;
    esac
    for other in $taken; do
      from=${other#*:}
      if [ "$first" -le "${from#*-}" ] && [ "${from%-*}" -le "$last" ]; then
        note "$name: expected ports that no other setting names, got $(show_range "$first" "$last"), which meets ${other%%:*}=$(show_range "${from%-*}" "${from#*-}")"
      fi
    done
    taken="$taken $name:$first-$last"
  done
  # Docker would make a folder of that name.
  [ -z "${ALERTS:-}" ] || (cd "$root" && [ -f "$ALERTMANAGER_CONFIG" ]) ||
    note "ALERTMANAGER_CONFIG: expected a file, got \"$ALERTMANAGER_CONFIG\""
  [ -z "$problems" ] || {
    printf '%s' "$problems" >&2
    exit 2
  }
}

# With several replicas each needs a host port of its own for these: they are counted from the first one that is given.
replica_ports='API_HOST_PORT API_LAB_HOST_PORT METRICS_HOST_PORT'

# Sets first and last to the ports that a setting will take.
set_port_range() {
  range=$(value_of "$1")
  first=${range%%-*}
  last=${range#*-}
  case " $replica_ports " in *" $1 "*) ;; *) return 0 ;; esac
  if [ "$range" = "$first" ] && is_port "$first" && is_port "$API_REPLICAS"; then last=$((first + API_REPLICAS - 1)); fi
}

port_range() { set_port_range "$1" && show_range "$first" "$last"; }
show_range() { if [ "$1" = "$2" ]; then echo "$1"; else echo "$1-$2"; fi; }

compose() { docker compose --project-directory "$root" --file "$root/docker-compose.yml" "$@"; }
