#!/bin/sh
# Starts Prometheus with `remote_write`: docker-compose.remote-write.yml and kubernetes/components/remote-write put it in the place of
# the image's own program. Prometheus reads the URL of a store from no variable and no second file, so its configuration is
# completed here, at each start.
set -eu
: "${REMOTE_WRITE_URL:?}" "${CLUSTER_NAME:?}" "${REPLICA_NAME:?}"
configuration=/tmp/prometheus.yml

# As YAML has it, whatever is in it.
quote() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }

umask 077
{
  # Prometheus itself replaces these two variables, with which a store tells apart what comes from several of them.
  sed '/^global:/a\  external_labels: { cluster: "${CLUSTER_NAME}", replica: "${REPLICA_NAME}" }' /etc/prometheus/prometheus.yml
  echo 'remote_write:'
  echo "  - url: $(quote "$REMOTE_WRITE_URL")"
  [ -z "${REMOTE_WRITE_TENANT:-}" ] || echo "    headers: { X-Scope-OrgID: $(quote "$REMOTE_WRITE_TENANT") }"
  if [ -n "${REMOTE_WRITE_USERNAME:-}" ]; then
    echo "    basic_auth: { username: $(quote "$REMOTE_WRITE_USERNAME"), password: $(quote "${REMOTE_WRITE_CREDENTIALS:-}") }"
  elif [ -n "${REMOTE_WRITE_CREDENTIALS:-}" ]; then
    echo "    authorization: { credentials: $(quote "$REMOTE_WRITE_CREDENTIALS") }"
  fi
  # Off for VictoriaMetrics, which converts them, and sets the count of each to 0 when its process ends (1.145). Classic buckets
  # arrive anyway.
  echo "    send_native_histograms: ${REMOTE_WRITE_NATIVE_HISTOGRAMS:-true}"
  cat <<'END'
    queue_config:
      # A store that refuses because of its rate limit costs time and no sample: what is dropped makes counters wrong over there.
      retry_on_http_429: true
      # The longest that a sample waits for others to be sent with; so long a verification that asks the store has to wait.
      batch_send_deadline: 1s
      # After the store was away. A shard that sends 2,000 samples (the default) in 0.1 s has 20,000 samples/s, ten have twice what
      # comes from the 500,000 series that the memory holds; each may hold 12,000 samples, and the default is 50 shards.
      max_shards: 10
END
} >$configuration
# The first of the flags names the configuration.
shift
exec prometheus --config.file=$configuration "$@"
