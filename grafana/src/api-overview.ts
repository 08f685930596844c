// The home page: the answers to the lab's questions at a glance, then rate, errors, latency and concurrency of the API.
import { ANSWER_COLORS, PAIR_COLORS, ROUTE_COLORS, STATE_COLORS } from './colors.ts';
import { createDashboard } from './dashboard.ts';
import { errorShare, latencyDistribution, latencyQuantiles } from './latency-and-errors.ts';
import { COUNT } from './panel.ts';
import { lines, ranking, stat } from './panels.ts';
import { CHOSEN, rate, TOP, TOP_ROUTES } from './promql.ts';
import { ROUTE_LEGEND, ROUTE_LINK } from './route-names.ts';
import { runbook } from './runbook.ts';
import { statePanel } from './state.ts';

const byRoute = `sum by (path, method) (http_requests_total{${CHOSEN}})`;
const routeRate = rate('http_requests_total', { by: ['path', 'method'] });

const answers = [
  statePanel(12),
  stat('Most requested', {
    ...COUNT,
    shows: 'The route with the most requests since the API started, and how many it received.',
    investigate: 'if you expected another route.',
    seeAlso: '[the table of all routes](/d/operations).',
    width: 12,
    height: 3,
    show: 'name and value',
    queries: { [ROUTE_LEGEND]: `topk(1, ${byRoute} > 0)` },
    noValue: 'No requests yet',
  }),
  stat('Total requests', {
    ...COUNT,
    shows:
      'Requests that a route handled since the API started, over all replicas: the raw counter, because increase() extrapolates.',
    investigate: 'if it drops: a replica restarted, and counts from 0 again.',
    seeAlso: '*Restarts in range* in [Node runtime](/d/node-runtime).',
    width: 8,
    queries: { requests: `sum(http_requests_total{${CHOSEN}})` },
  }),
  stat('Total errors', {
    ...COUNT,
    shows:
      'Responses with status 400 or higher, and client disconnects (499), since the API started. Unknown paths (404) count here, but not in *Total requests*.',
    investigate: 'if *Errors by code* shows 5xx.',
    seeAlso: '[SLOs](/d/slos) to see whether there are too many.',
    width: 8,
    queries: { errors: `sum(http_errors_total{${CHOSEN}})` },
  }),
  stat('In progress now', {
    ...COUNT,
    shows: 'Requests that the API was handling at the last scrape.',
    investigate: 'if it stays above the expected number in *Requests in progress, measured and expected*.',
    seeAlso: `${runbook('RequestsStuck')}.`,
    width: 8,
    queries: { 'in progress': `sum(inprogress_requests{${CHOSEN}})` },
  }),
  ranking('Requests by path and method', {
    ...COUNT,
    shows: `Requests since the API started: the ${TOP} busiest routes, and all others as *other routes*.`,
    investigate: 'if a route that clients use has 0.',
    seeAlso: '[the details of one route](/d/route): click its bar.',
    height: 10,
    queries: {
      [ROUTE_LEGEND]: `sort_desc(topk(${TOP}, ${byRoute}))`,
      'other routes': `sum(${byRoute}) - sum(topk(${TOP}, ${byRoute})) > 0`,
    },
    colors: { 'other routes': STATE_COLORS.none },
    link: ROUTE_LINK,
  }),
  ranking('Errors by code', {
    ...COUNT,
    shows:
      'Errors since the API started. 404: unknown path. 499: the client disconnected before the response was complete. 5xx: the API failed.',
    investigate: 'if there are 5xx: they burn the error budget.',
    seeAlso: `[SLOs](/d/slos), ${runbook('ErrorBudgetBurn')}; for many 404s, ${runbook('NotFoundSurge')}.`,
    height: 10,
    thresholds: [[ANSWER_COLORS['4xx'], null]],
    queries: { '{{code}}': `sort_desc(sum by (code) (http_errors_total{${CHOSEN}}))` },
    colors: {
      499: ANSWER_COLORS['499'],
      ...Object.fromEntries(['500', '501', '502', '503', '504'].map((code) => [code, ANSWER_COLORS['5xx']])),
    },
  }),
];

const traffic = [
  lines('Request rate by path and method', {
    shows: `Requests per second of the ${TOP} busiest routes in the time range, and of all others as *other routes*.`,
    investigate: 'if one line drops to 0 while others do not: a client or that route is broken.',
    seeAlso: '[the details of one route](/d/route): click its line.',
    height: 10,
    unit: 'reqps',
    softMax: 1,
    queries: {
      [ROUTE_LEGEND]: `${routeRate} and ${TOP_ROUTES}`,
      'other routes': `${rate('http_requests_total')} - sum(${routeRate} and ${TOP_ROUTES}) > 0.001`,
    },
    colors: { ...ROUTE_COLORS, 'other routes': STATE_COLORS.none },
    link: ROUTE_LINK,
  }),
  errorShare({ height: 10 }),
];

const latency = [latencyQuantiles({}), latencyDistribution({})];

const concurrency = [
  lines('Requests in progress, measured and expected', {
    shows:
      "The gauge at each scrape, and its expected mean: arrival rate times mean duration (Little's law).",
    investigate: 'if the gauge stays above the expected line: requests arrive and do not finish.',
    seeAlso: `${runbook('RequestsStuck')}.`,
    width: 24,
    unit: 'locale',
    legend: 'table',
    softMax: 5,
    queries: {
      'in progress': `sum(inprogress_requests{${CHOSEN}})`,
      // rate(count) * rate(sum) / rate(count): the two counts cancel.
      'expected: rate x mean duration': rate('http_request_duration_seconds_sum'),
    },
    colors: { 'in progress': PAIR_COLORS.measured, 'expected: rate x mean duration': PAIR_COLORS.expected },
  }),
];

export const apiOverview = createDashboard({
  uid: 'api-overview',
  title: 'API overview',
  description: 'What clients requested from the API, how it responded, and how long that took.',
  choose: { metric: 'http_requests_total', labels: ['job', 'instance'] },
  rows: [
    { title: 'Since the API started', panels: answers },
    { title: 'Traffic and errors', panels: traffic },
    { title: 'Latency', panels: latency },
    { title: 'Concurrency', panels: concurrency },
  ],
});
