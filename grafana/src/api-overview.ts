// The home page: the lab's questions answered at a glance, then rate, errors, latency and saturation of the API.
import { createDashboard } from './dashboard.ts';
import { LATENCY_OBJECTIVE_SECONDS } from './limits.ts';
import { heatmap, lines, ranking, stat } from './panels.ts';

const api = 'job=~"$job", instance=~"$instance"';
const noApi = 'No API is scraped';
const responses = (matchers = '') =>
  `sum(rate(http_request_duration_seconds_count{${api}${matchers}}[$__rate_interval]))`;
const ratioOf = (code: string) => `${responses(`, code=~"${code}"`)} / (${responses()} > 0)`;
// `>= 0` drops the NaN of a histogram that observed nothing.
const quantile = (q: number) =>
  `histogram_quantile(${q}, sum by (le) (rate(http_request_duration_seconds_bucket{${api}}[$__rate_interval]))) >= 0`;

const answers = [
  stat({
    title: 'Requests in total',
    description:
      'Requests that a route has handled since the API started, summed over its replicas: the counter itself, because increase() extrapolates. Falls when a replica restarts.',
    width: 6,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `sum(http_requests_total{${api}})`, legend: 'requests' }],
    noValue: noApi,
  }),
  stat({
    title: 'Most requested',
    description: 'The method and path that received the most requests since the API started, and how many.',
    width: 6,
    unit: 'none',
    decimals: 0,
    named: true,
    queries: [
      {
        expr: `topk(1, sum by (path, method) (http_requests_total{${api}}) > 0)`,
        legend: '{{method}} /{{path}}',
      },
    ],
    noValue: 'No request yet',
  }),
  stat({
    title: 'Errors in total',
    description:
      'Responses with a status of 400 or more, and clients that left early (499), since the API started. A path that does not exist is a 404 here and never a request above.',
    width: 6,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `sum(http_errors_total{${api}})`, legend: 'errors' }],
    noValue: noApi,
  }),
  stat({
    title: 'In progress now',
    description:
      'Requests that have entered the API and not left it. At rest it is 0; see the panel on concurrency below.',
    width: 6,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `sum(inprogress_requests{${api}})`, legend: 'in progress' }],
    noValue: noApi,
  }),
  ranking({
    title: 'Requests by path and method',
    description:
      'Which route received most? Handled requests since the API started, ranked, all replicas together.',
    width: 12,
    unit: 'none',
    decimals: 0,
    min: 0,
    queries: [
      {
        expr: `sort_desc(sum by (path, method) (http_requests_total{${api}}))`,
        legend: '{{method}} /{{path}}',
      },
    ],
    noValue: noApi,
  }),
  ranking({
    title: 'Errors by code',
    description:
      'Errors since the API started. 404: paths that do not exist. 499: the client left before the answer was complete. 5xx: faults of the API, which burn the error budget.',
    width: 12,
    unit: 'none',
    decimals: 0,
    min: 0,
    thresholds: [['orange', null]],
    queries: [{ expr: `sort_desc(sum by (code) (http_errors_total{${api}}))`, legend: '{{code}}' }],
    noValue: noApi,
  }),
];

const traffic = [
  lines({
    title: 'Request rate by path and method',
    description:
      'Requests per second that a route handled. A line that drops to 0 while the others go on is a client or a route that broke.',
    width: 12,
    height: 12,
    unit: 'reqps',
    queries: [
      {
        expr: `sum by (path, method) (rate(http_requests_total{${api}}[$__rate_interval]))`,
        legend: '{{method}} /{{path}}',
      },
    ],
  }),
  lines({
    title: 'Error ratio: 4xx and 5xx',
    description:
      'Share of all responses, separately: 4xx is what clients asked wrongly (499 included), 5xx what the API did wrong. Without traffic there is no ratio and no line. For 5xx go on to the SLO dashboard.',
    width: 12,
    height: 12,
    unit: 'percentunit',
    decimals: 2,
    queries: [
      { expr: ratioOf('4..'), legend: '4xx' },
      { expr: ratioOf('5..'), legend: '5xx' },
    ],
    noValue: 'No traffic in this time range',
  }),
];

const latency = [
  lines({
    title: 'Latency p50, p95 and p99',
    description: `From entry to the end of the response, all routes and replicas together, interpolated within a bucket. The dashed line is the objective of ${LATENCY_OBJECTIVE_SECONDS * 1000} ms.`,
    width: 12,
    height: 9,
    unit: 's',
    queries: [
      { expr: quantile(0.5), legend: 'p50' },
      { expr: quantile(0.95), legend: 'p95' },
      { expr: quantile(0.99), legend: 'p99' },
    ],
    thresholds: [
      ['green', null],
      ['red', LATENCY_OBJECTIVE_SECONDS],
    ],
    limit: true,
    noValue: 'No traffic in this time range',
  }),
  heatmap({
    title: 'Latency distribution',
    description:
      'Responses by latency bucket: the stronger the colour, the more. Two bands are two kinds of request or two kinds of replica, which a percentile hides.',
    width: 12,
    height: 9,
    unit: 's',
    queries: [
      {
        expr: `sum by (le) (increase(http_request_duration_seconds_bucket{${api}}[$__rate_interval]))`,
        legend: '{{le}}',
      },
    ],
    noValue: 'No traffic in this time range',
  }),
];

const concurrency = [
  lines({
    title: 'Requests in progress, counted and expected',
    description:
      "The gauge at each scrape, and what Little's law expects: arrival rate times mean duration. The gauge is a sample and jumps around the expected line; a gauge that stays above it means requests that never end.",
    width: 24,
    unit: 'none',
    decimals: 1,
    queries: [
      { expr: `sum(inprogress_requests{${api}})`, legend: 'in progress' },
      {
        // rate(count) * rate(sum) / rate(count): the two counts cancel.
        expr: `sum(rate(http_request_duration_seconds_sum{${api}}[$__rate_interval]))`,
        legend: 'expected: rate x mean duration',
      },
    ],
  }),
];

export const apiOverview = createDashboard({
  uid: 'api-overview',
  title: 'API overview',
  description: 'What was asked of the API, how it answered, how long that took.',
  metric: 'http_requests_total',
  variables: ['job', 'instance'],
  rows: [
    { title: 'Since the API started', panels: answers },
    { title: 'Traffic and errors', panels: traffic },
    { title: 'Latency', panels: latency },
    { title: 'Concurrency', panels: concurrency },
  ],
});
