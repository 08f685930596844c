/** The mappings of well-known libraries in their documented configuration. Each mapping is tested with the library. */
import type { MetricsInput } from './metrics.ts';

interface Preset {
  /** Several, if versions or languages of the library differ. */
  readonly variants: readonly [MetricsInput, ...MetricsInput[]];
  /** Labels that the library adds only if configured to. */
  readonly optional?: readonly string[];
}

const DURATIONS = 'http_request_duration_seconds_count';

/** Stable since 1.23: opentelemetry.io/docs/specs/semconv/http/http-metrics */
function openTelemetry(name: string): MetricsInput {
  const labels = { route: 'http_route', method: 'http_request_method', code: 'http_response_status_code' };
  return { counters: [{ name: `${name}_count`, ...labels }] };
}

function promhttp(name: string): MetricsInput {
  return { counters: [{ name, method: 'method', code: 'code', methodCase: 'lower' }] };
}

function one(metrics: MetricsInput): Preset {
  return { variants: [metrics] };
}

export const PRESETS: Readonly<Record<string, Preset>> = {
  'express-exact-metrics': one({
    counters: [
      { name: 'http_requests_total', route: 'path', method: 'method', methodCase: 'lower', counts: 'routed' },
      { name: 'http_errors_total', code: 'code', counts: 'errors' },
      { name: DURATIONS, route: 'path', method: 'method', code: 'code', methodCase: 'lower' },
    ],
    unmatched: 'unmatched',
    headAsGet: true,
    inProgress: 'inprogress_requests',
    drained: 'http_server_drained',
    startTime: 'process_start_time_seconds',
  }),
  // The JavaScript exporter omits the unit in the name.
  opentelemetry: {
    variants: [
      openTelemetry('http_server_request_duration_seconds'),
      openTelemetry('http_server_request_duration'),
    ],
  },
  'express-prom-bundle': {
    variants: [{ counters: [{ name: DURATIONS, route: 'path', method: 'method', code: 'status_code' }] }],
    optional: ['path', 'method'],
  },
  'prometheus-api-metrics': one({
    counters: [{ name: DURATIONS, route: 'route', method: 'method', code: 'code' }],
    unmatched: 'N/A',
  }),
  // The library counts its own scrapes, but not requests without a route.
  'fastify-metrics': one({
    counters: [{ name: DURATIONS, route: 'route', method: 'method', code: 'status_code', counts: 'routed' }],
    ignoreRoutes: ['/metrics'],
  }),
  'flask-exporter': one({
    counters: [
      { name: 'flask_http_request_duration_seconds_count', route: 'path', method: 'method', code: 'status' },
      { name: 'flask_http_request_total', method: 'method', code: 'status' },
    ],
  }),
  // prometheus-fastapi-instrumentator, which counts its own scrapes by default.
  starlette: one({
    counters: [
      { name: 'http_requests_total', route: 'handler', method: 'method', code: 'status', codeAs: 'class' },
      { name: DURATIONS, route: 'handler', method: 'method' },
    ],
    unmatched: 'none',
    ignoreRoutes: ['/metrics'],
  }),
  // Applications choose the names; these are from the documentation's examples. Other names are detected by their labels.
  promhttp: {
    variants: [promhttp('api_requests_total'), promhttp('http_requests_total')],
  },
  micrometer: one({
    counters: [
      { name: 'http_server_requests_seconds_count', route: 'uri', method: 'method', code: 'status' },
    ],
    unmatched: '/**',
    ignoreRoutes: ['/actuator/prometheus'],
  }),
};

export const PRESET_NAMES = Object.keys(PRESETS);
