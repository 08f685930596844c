# Reads .env, lets the environment win over it, and checks what Compose would only fail on later. Sourced, never run.

while IFS='=' read -r name value; do
  case $name in '' | '#'*) continue ;; esac
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

port_names='API_HOST_PORT API_LAB_HOST_PORT METRICS_HOST_PORT PROMETHEUS_HOST_PORT GRAFANA_HOST_PORT ALERTMANAGER_HOST_PORT ALERT_RECEIVER_HOST_PORT'

value_of() { eval "printf '%s' \"\$$1\""; }

is_port() {
  case $1 in '' | *[!0-9]* | ??????*) return 1 ;; esac
  [ "$1" -ge 1 ] && [ "$1" -le 65535 ]
}

# Every problem at once, one a line, as the API does it.
check_settings() {
  problems=''
  note() { problems="$problems$1
"; }
  case $API_REPLICAS in
    '' | *[!0-9]* | 0*) note "API_REPLICAS: expected a whole number from 1, got \"$API_REPLICAS\"" ;;
  esac
  taken=' '
  for name in $port_names; do
    first=$(value_of "$name")
    first=${first%%-*}
    if ! is_port "$first"; then
      note "$name: expected a port from 1 to 65535, got \"$(value_of "$name")\""
      continue
    fi
    case $taken in *" $first "*) note "$name: expected a port that no other setting names, got \"$first\"" ;; esac
    taken="$taken$first "
  done
  [ -z "$problems" ] || {
    printf '%s' "$problems" >&2
    exit 2
  }
}

# With several replicas each needs a host port of its own: a range that starts at the asked port.
widen_port_ranges() {
  [ "$API_REPLICAS" -gt 1 ] || return 0
  for name in API_HOST_PORT API_LAB_HOST_PORT METRICS_HOST_PORT; do
    first=$(value_of "$name")
    case $first in *-*) continue ;; esac
    eval "export $name=$first-$((first + API_REPLICAS - 1))"
  done
}

compose() { docker compose --project-directory "$root" --file "$root/docker-compose.yml" "$@"; }
