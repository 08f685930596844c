#!/bin/sh
# Starts Prometheus with `remote_write`. docker-compose.remote-write.yml and kubernetes/components/remote-write replace the image's
# entrypoint with this script. Prometheus cannot read the URL of a store from a variable or a second file, so the script completes
# its configuration at each start.
set -eu
: "${REMOTE_WRITE_URL:?}" "${CLUSTER_NAME:?}" "${REPLICA_NAME:?}"
configuration=/tmp/prometheus.yml

# Quotes any text for YAML.
quote() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }

umask 077
{
  # Prometheus expands these two variables, which identify the server in the store.
  sed '/^global:/a\  external_labels: { cluster: "${CLUSTER_NAME}", replica: "${REPLICA_NAME}" }' /etc/prometheus/prometheus.yml
  echo 'remote_write:'
  echo "  - url: $(quote "$REMOTE_WRITE_URL")"
  [ -z "${REMOTE_WRITE_TENANT:-}" ] || echo "    headers: { X-Scope-OrgID: $(quote "$REMOTE_WRITE_TENANT") }"
  if [ -n "${REMOTE_WRITE_USERNAME:-}" ]; then
    echo "    basic_auth: { username: $(quote "$REMOTE_WRITE_USERNAME"), password: $(quote "${REMOTE_WRITE_CREDENTIALS:-}") }"
  elif [ -n "${REMOTE_WRITE_CREDENTIALS:-}" ]; then
    echo "    authorization: { credentials: $(quote "$REMOTE_WRITE_CREDENTIALS") }"
  fi
  # Off for VictoriaMetrics, which converts them and sets their count to 0 when the process ends (1.145). Classic buckets are sent in
  # any case.
  echo "    send_native_histograms: ${REMOTE_WRITE_NATIVE_HISTOGRAMS:-true}"
  cat <<'END'
    queue_config:
      # Retries if the store limits the rate, because dropped samples would make its counters wrong.
      retry_on_http_429: true
      # The longest time that a sample waits for its batch. A verification against the store waits as long.
      batch_send_deadline: 1s
      # For the backlog after the store was down. A shard that sends 2,000 samples (the default) in 0.1 s reaches 20,000 samples/s, so
      # ten reach twice the rate of the 500,000 series that fit in memory. Each may hold 12,000 samples; the default is 50 shards.
      max_shards: 10
END
} >$configuration
# The first flag is the path of the configuration.
shift
exec prometheus --config.file=$configuration "$@"
