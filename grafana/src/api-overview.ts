// The home page: the lab's questions answered at a glance, then rate, errors, latency and concurrency of the API.
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
    shows:
      'The method and path that received the most requests since the API started, summed over its replicas, and how many.',
    investigate: 'if it is a route that few users need.',
    seeAlso: '[the routes in one table](/d/operations).',
    width: 12,
    height: 3,
    show: 'name and value',
    queries: { [ROUTE_LEGEND]: `topk(1, ${byRoute} > 0)` },
    noValue: 'No request yet',
  }),
  stat('Requests in total', {
    ...COUNT,
    shows:
      'Requests that a route has handled since the API started, summed over its replicas: the counter itself, because increase() extrapolates.',
    investigate: 'if it falls: a replica restarted and counts from 0.',
    seeAlso: '[Node runtime](/d/node-runtime) shows restarts.',
    width: 8,
    queries: { requests: `sum(http_requests_total{${CHOSEN}})` },
  }),
  stat('Errors in total', {
    ...COUNT,
    shows:
      'Responses with a status of 400 or more, and clients that left early (499), since the API started. A path that does not exist is a 404 here and in no count of requests.',
    investigate: 'if there are 5xx among them: *Errors by code*.',
    seeAlso: '[SLOs](/d/slos) say whether there are too many.',
    width: 8,
    queries: { errors: `sum(http_errors_total{${CHOSEN}})` },
  }),
  stat('In progress now', {
    ...COUNT,
    shows: 'Requests that have entered the API and not left it, at the last scrape. At rest it is 0.',
    investigate: 'if it stays above the expected number: *Requests in progress, counted and expected*.',
    seeAlso: `${runbook('RequestsStuck')}.`,
    width: 8,
    queries: { 'in progress': `sum(inprogress_requests{${CHOSEN}})` },
  }),
  ranking('Requests by path and method', {
    ...COUNT,
    shows: `Which route received most? Handled requests since the API started, all replicas together: the ${TOP} most requested, and all others as *the rest*.`,
    investigate: 'if a route that clients use has 0.',
    seeAlso: '[that route alone](/d/route): click a bar.',
    height: 10,
    queries: {
      [ROUTE_LEGEND]: `sort_desc(topk(${TOP}, ${byRoute}))`,
      'the rest': `sum(${byRoute}) - sum(topk(${TOP}, ${byRoute})) > 0`,
    },
    colors: { 'the rest': STATE_COLORS.none },
    link: ROUTE_LINK,
  }),
  ranking('Errors by code', {
    ...COUNT,
    shows:
      'Errors since the API started. 404: paths that do not exist. 499: the client left before the answer was complete. 5xx: faults of the API.',
    investigate: 'if there are 5xx: they burn the error budget.',
    seeAlso: `[SLOs](/d/slos), ${runbook('ErrorBudgetBurn')}; many 404: ${runbook('NotFoundSurge')}.`,
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
    shows: `Requests per second that a route handled: the ${TOP} most requested of the time range, and all others as *the rest*.`,
    investigate: 'if one line drops to 0 while others do not: a client or a route broke.',
    seeAlso: '[that route alone](/d/route): click a line.',
    height: 10,
    unit: 'reqps',
    softMax: 1,
    queries: {
      [ROUTE_LEGEND]: `${routeRate} and ${TOP_ROUTES}`,
      'the rest': `${rate('http_requests_total')} - sum(${routeRate} and ${TOP_ROUTES}) > 0.001`,
    },
    colors: { ...ROUTE_COLORS, 'the rest': STATE_COLORS.none },
    link: ROUTE_LINK,
  }),
  errorShare({ height: 10 }),
];

const latency = [latencyQuantiles({}), latencyDistribution({})];

const concurrency = [
  lines('Requests in progress, counted and expected', {
    shows:
      "The gauge at each scrape, and what Little's law expects: arrival rate times mean duration. The gauge is a sample and jumps around the expected line.",
    investigate: 'if the gauge stays above the expected line: requests enter and do not end.',
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
  description: 'What was asked of the API, how it answered, how long that took.',
  choose: { metric: 'http_requests_total', labels: ['job', 'instance'] },
  rows: [
    { title: 'Since the API started', panels: answers },
    { title: 'Traffic and errors', panels: traffic },
    { title: 'Latency', panels: latency },
    { title: 'Concurrency', panels: concurrency },
  ],
});
