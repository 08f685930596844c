/** The mappings of well-known libraries in their documented set-up. Each is tested with the library itself. */
import type { MetricsInput } from './metrics.ts';

interface Preset {
  readonly metrics: MetricsInput;
  /** Labels that the library adds only when it is asked to. */
  readonly optional?: readonly string[];
}

export const PRESETS: Readonly<Record<string, Preset>> = {
  'express-exact-metrics': {
    metrics: {
      counters: [
        {
          name: 'http_requests_total',
          route: 'path',
          method: 'method',
          methodCase: 'lower',
          counts: 'routed',
        },
        { name: 'http_errors_total', code: 'code', counts: 'errors' },
        {
          name: 'http_request_duration_seconds_count',
          ...{ route: 'path', method: 'method', code: 'code', methodCase: 'lower' },
        },
      ],
      unmatched: 'unmatched',
      headAsGet: true,
      inProgress: 'inprogress_requests',
      drained: 'http_server_drained',
      startTime: 'process_start_time_seconds',
    },
  },
  // opentelemetry.io/docs/specs/semconv/http/http-metrics, stable since 1.23.
  opentelemetry: {
    metrics: {
      counters: [
        {
          name: 'http_server_request_duration_seconds_count',
          route: 'http_route',
          method: 'http_request_method',
          code: 'http_response_status_code',
        },
      ],
    },
  },
  'express-prom-bundle': {
    metrics: {
      counters: [
        { name: 'http_request_duration_seconds_count', route: 'path', method: 'method', code: 'status_code' },
      ],
    },
    optional: ['path', 'method'],
  },
  'prometheus-api-metrics': {
    metrics: {
      counters: [
        { name: 'http_request_duration_seconds_count', route: 'route', method: 'method', code: 'code' },
      ],
      unmatched: 'N/A',
    },
  },
  'fastify-metrics': {
    metrics: {
      counters: [
        {
          name: 'http_request_duration_seconds_count',
          route: 'route',
          method: 'method',
          code: 'status_code',
        },
      ],
      unmatched: '__unknown__',
    },
  },
  'flask-exporter': {
    metrics: {
      counters: [
        {
          name: 'flask_http_request_duration_seconds_count',
          route: 'path',
          method: 'method',
          code: 'status',
        },
        { name: 'flask_http_request_total', method: 'method', code: 'status' },
      ],
    },
  },
  starlette: {
    metrics: {
      counters: [
        { name: 'http_requests_total', route: 'handler', method: 'method', code: 'status', codeAs: 'class' },
        { name: 'http_request_duration_seconds_count', route: 'handler', method: 'method' },
      ],
      unmatched: 'none',
    },
  },
  promhttp: {
    metrics: {
      counters: [{ name: 'http_requests_total', method: 'method', code: 'code', methodCase: 'lower' }],
    },
  },
  micrometer: {
    metrics: {
      counters: [
        { name: 'http_server_requests_seconds_count', route: 'uri', method: 'method', code: 'status' },
      ],
      unmatched: '/**',
    },
  },
};

export const PRESET_NAMES = Object.keys(PRESETS);
