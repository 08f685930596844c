/**
 * The tested libraries with their metrics, and the promises of their documentation. If a library counts differently and documents that,
 * there is a note with the cells in the wording of `counts.ts`; the note no longer applies if a cell changes.
 */
import type { Metric } from './counts.ts';
import type { ProbeName } from './probes.ts';
import type { ProgramName } from './programs.ts';

export interface Column {
  readonly title: string;
  readonly language: 'Node' | 'Python' | 'Go' | 'Java';
  /** The file in `programs/`. */
  readonly file: string;
  readonly packages: readonly string[];
  readonly metric: Metric;
  readonly documentation: string;
  /** The documentation of the metric; quotes are in quotation marks. */
  readonly sentence: string;
  readonly notes?: readonly Note[];
}

export interface Note {
  readonly sentence: string;
  readonly cells: Readonly<Partial<Record<ProbeName, string>>>;
}

/** Labels by the name of the route label, as in most Node libraries. */
const ofNode = (route: string, code: string): Pick<Metric, 'name' | 'labels'> => ({
  name: 'http_request_duration_seconds_count',
  labels: { method: 'method', route, code },
});

const OBSERVATIONS =
  'https://docs.spring.io/spring-framework/reference/integration/observability.html#observability.http-server.servlet';

export const columns: Readonly<Record<ProgramName, Column>> = {
  'express-exact-metrics': {
    title: 'express-exact-metrics',
    language: 'Node',
    file: 'express-exact-metrics.js',
    packages: ['express-exact-metrics', 'express'],
    metric: { ...ofNode('path', 'code'), unmatched: ['unmatched'] },
    documentation: '../instrumentation/README.md#what-it-counts',
    sentence: '"Every request is counted exactly once, however it ends"',
    notes: [
      { sentence: '"`GET /users/7` for `app.get(\'/users/:id\')`; HEAD too"', cells: { head: 'as get' } },
      {
        sentence: '"a method that no route has": "`other` (with `unmatched`)"',
        cells: { method: 'as other' },
      },
    ],
  },
  'prom-client': {
    title: '@prometheus-io/client by hand',
    language: 'Node',
    file: 'prom-client.js',
    packages: ['@prometheus-io/client', 'express'],
    metric: { ...ofNode('route', 'code'), unmatched: ['unmatched'], scrapes: { route: '/metrics' } },
    documentation: 'https://github.com/prometheus/client_js#readme',
    sentence:
      'the library counts what a program passes to it; our middleware does that on `finish`, as many do',
  },
  'express-prom-bundle': {
    title: 'express-prom-bundle',
    language: 'Node',
    file: 'express-prom-bundle.cjs',
    packages: ['express-prom-bundle', 'prom-client', 'express'],
    metric: { ...ofNode('path', 'status_code'), spell: (route) => route.replace(':id', '#val') },
    documentation: 'https://github.com/jochen-schweizer/express-prom-bundle#readme',
    sentence: '"http latency histogram/summary labeled with `status_code`, `method` and `path`"',
    notes: [
      {
        sentence: '"includePath: URL path"; with `normalizePath` it is the route',
        cells: {
          mounted: 'under `/shop/nothing`',
          malformed: 'under `/users/%E0%A4%A`',
          unknown: 'under 50 paths, 400 new series',
        },
      },
    ],
  },
  'prometheus-api-metrics': {
    title: 'prometheus-api-metrics',
    language: 'Node',
    file: 'prometheus-api-metrics.cjs',
    packages: ['prometheus-api-metrics', 'prom-client', 'express'],
    metric: { ...ofNode('route', 'code'), unmatched: ['N/A'] },
    documentation: 'https://github.com/PayU/prometheus-api-metrics#readme',
    sentence: '"Collect API metrics for each call"',
  },
  opentelemetry: {
    title: 'OpenTelemetry',
    language: 'Node',
    file: 'opentelemetry-preload.js',
    packages: ['http', 'express']
      .map((name) => `@opentelemetry/instrumentation-${name}`)
      .concat('@opentelemetry/exporter-prometheus', 'express'),
    metric: {
      name: 'http_server_request_duration_count',
      labels: { method: 'http_request_method', route: 'http_route', code: 'http_response_status_code' },
      scrapes: { http_route: '', http_request_method: 'GET', http_response_status_code: '200' },
    },
    documentation: 'https://opentelemetry.io/docs/specs/semconv/http/http-metrics/',
    sentence:
      '"Duration of HTTP server requests"; the code "if and only if one was received/sent"; the route is "the matched route"',
  },
  'fastify-metrics': {
    title: 'fastify-metrics',
    language: 'Node',
    file: 'fastify-metrics.js',
    packages: ['fastify-metrics', 'fastify'],
    metric: { ...ofNode('route', 'status_code'), scrapes: { route: '/metrics' } },
    documentation: 'https://github.com/SkeLLLa/fastify-metrics#readme',
    sentence: '"Requests total count"',
    notes: [
      {
        sentence: "`methodBlacklist` is `['HEAD','OPTIONS','TRACE','CONNECT']`",
        cells: { head: 'not counted' },
      },
      {
        sentence:
          '"Now collects metrics only for registered routes by default"; `registeredRoutesOnly: false` counts the others',
        cells: {
          mounted: 'not counted',
          malformed: 'not counted',
          method: 'not counted',
          unknown: 'not counted',
        },
      },
    ],
  },
  'flask-exporter': {
    title: 'prometheus-flask-exporter',
    language: 'Python',
    file: 'flask_exporter.py',
    packages: ['prometheus_flask_exporter', 'Flask', 'gunicorn'],
    // Its `path` is that of the request, so it is not the name of a route.
    metric: {
      name: 'flask_http_request_duration_seconds_count',
      labels: { method: 'method', code: 'status' },
    },
    documentation: 'https://github.com/rycus86/prometheus_flask_exporter#readme',
    sentence: '"Flask HTTP request duration in seconds for all Flask requests"',
    notes: [
      {
        sentence:
          '"tracked by: endpoint (function) instead of URI path (the default)"; `group_by="url_rule"` is the route',
        cells: { mixed: '8,032 new series', unknown: '800 new series' },
      },
    ],
  },
  'fastapi-instrumentator': {
    title: 'prometheus-fastapi-instrumentator',
    language: 'Python',
    file: 'fastapi_instrumentator.py',
    packages: ['prometheus-fastapi-instrumentator', 'fastapi', 'uvicorn'],
    metric: {
      name: 'http_requests_total',
      labels: { method: 'method', route: 'handler', code: 'status' },
      unmatched: ['none'],
      scrapes: { handler: '/metrics' },
      spell: (route) => route.replace(':id', '{id}'),
    },
    documentation: 'https://github.com/trallnag/prometheus-fastapi-instrumentator#readme',
    sentence: '"Total number of requests"',
  },
  promhttp: {
    title: 'promhttp',
    language: 'Go',
    file: 'promhttp/main.go',
    packages: ['github.com/prometheus/client_golang'],
    metric: { name: 'api_requests_total', labels: { method: 'method', code: 'code' } },
    documentation:
      'https://pkg.go.dev/github.com/prometheus/client_golang/prometheus/promhttp#InstrumentHandlerCounter',
    sentence: '"a middleware that wraps the provided http.Handler to observe the request result"',
    notes: [
      {
        sentence: '"wraps the provided http.Handler": Go answers this request before any handler',
        cells: { malformed: 'not counted' },
      },
    ],
  },
  micrometer: {
    title: 'Micrometer, Spring Boot',
    language: 'Java',
    file: 'micrometer/src/main/java/Shop.java',
    packages: ['org.springframework.boot'],
    metric: {
      name: 'http_server_requests_seconds_count',
      labels: { method: 'method', route: 'uri', code: 'status' },
      unmatched: ['/**', 'NOT_FOUND', 'UNKNOWN'],
      scrapes: { uri: '/actuator/prometheus' },
      spell: (route) => route.replace(':id', '{id}'),
    },
    documentation: 'https://docs.spring.io/spring-boot/reference/actuator/metrics.html',
    sentence: '"all requests handled by Spring MVC controllers and functional handlers"',
    notes: [
      {
        sentence: `\`status\` is the "[HTTP response raw status code](${OBSERVATIONS})", and a response was created`,
        cells: { aborted: 'as 200' },
      },
      {
        sentence: '"handled by Spring MVC": Tomcat answers this request',
        cells: { malformed: 'not counted' },
      },
    ],
  },
};
