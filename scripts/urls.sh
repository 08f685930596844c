# Prints the URLs at the end of `make up` and `make load`. Sourced by stack.sh.

host=$BIND_ADDRESS
[ "$host" != 0.0.0.0 ] || host=localhost
show_url() { printf '%-13s http://%s:%s%s\n' "$1" "$host" "$2" "$3" >&2; }

show_urls() {
  say ''
  # Shows the dashboard of the run first, if there was a run: make up sends nothing to an API that has already handled requests.
  [ -z "$grafana_missing" ] && [ ! -e "$page" ] || show_overview
  show_url API "$API_HOST_PORT" "/products (also on $API_LAB_HOST_PORT, which browsers refuse)"
  [ "$API_REPLICAS" -eq 1 ] || say "              $API_REPLICAS replicas: ports $(port_range API_HOST_PORT), their metrics on $(port_range METRICS_HOST_PORT)"
  show_url Metrics "$METRICS_HOST_PORT" /metrics
  case $PROMETHEUS_IMAGE in
    observability-stack/*) show_url Prometheus "$PROMETHEUS_HOST_PORT" /consoles/query.html ;;
    *) show_url Prometheus "$PROMETHEUS_HOST_PORT" / ;;
  esac
  if [ -z "$grafana_missing" ]; then
    show_url Grafana "$GRAFANA_HOST_PORT" /
  else
    say "Grafana       skipped: $grafana_missing."
    say "              Provide it (docker load --input FILE, or GRAFANA_IMAGE=<mirror>/grafana), then: make up"
  fi
  [ -z "${ALERTS:-}" ] || case $ALERTMANAGER_IMAGE in
    observability-stack/*) say "Alertmanager  has no web page in Debian's build; query it with: curl http://localhost:$ALERTMANAGER_HOST_PORT/api/v2/alerts" ;;
    *) show_url Alertmanager "$ALERTMANAGER_HOST_PORT" / ;;
  esac
  printf '\nNext: make lab   make load PATTERN=not-found   make verify   make down\n' >&2
}

# Links to the dashboard from shortly before the last run until now: panels with a single value show the end of the range, and the
# future has no samples. Without Grafana, links to the page that Prometheus renders.
show_overview() {
  if is_running grafana; then
    show_url 'This run' "$GRAFANA_HOST_PORT" "/d/api-overview?from=$((run_started - 30))000&to=$(date +%s)000"
  else
    show_url 'Overview' "$PROMETHEUS_HOST_PORT" /consoles/index.html
  fi
}
