// The details of one route (or of several selected routes): rate, errors, latency and replicas. The target of a click on a route.
import { ANSWER_COLORS } from './colors.ts';
import { createDashboard } from './dashboard.ts';
import { errorShare, latencyDistribution, latencyQuantiles, STATUS_CODES } from './latency-and-errors.ts';
import { BUDGETS, LATENCY_OBJECTIVE_SECONDS } from './limits.ts';
import { lines, stat } from './panels.ts';
import { badResponses, CHOSEN, QUANTILE_CAVEAT, quantile, responses, shareOf } from './promql.ts';
import { runbook } from './runbook.ts';

const matchers = `${CHOSEN}, path=~"$path", method=~"$method"`;
const scope = { matchers };
const NO_TRAFFIC = 'No traffic';
const objectiveMs = LATENCY_OBJECTIVE_SECONDS * 1000;

/** Over the whole time range, like the table that links here; the graphs below show the values over time. */
const whole = { ...scope, window: '$__range' };

const summary = [
  stat('Response rate', {
    shows: 'Responses per second of the selected routes, averaged over the time range.',
    investigate: 'if the rate is unusual for the time of day.',
    seeAlso: '*Responses by status class* below, [API overview](/d/api-overview) for all routes.',
    unit: 'reqps',
    queries: { rate: responses(whole) },
  }),
  stat('Failed (5xx)', {
    shows: 'Share of responses with a 5xx status in this time range.',
    investigate: `if it exceeds ${BUDGETS.availability}, the error budget of the whole service.`,
    seeAlso: `[SLOs](/d/slos), ${runbook('ErrorBudgetBurn')}.`,
    unit: 'percentunit',
    queries: { '5xx': shareOf('5..', whole) },
    noValue: NO_TRAFFIC,
  }),
  stat('Failed or slow', {
    shows: `Responses per second that failed or took more than ${objectiveMs} ms: these burn an error budget.`,
    investigate: 'if it is above 0 over a long time range.',
    seeAlso: '*Latency distribution*, [Node runtime](/d/node-runtime).',
    unit: 'reqps',
    queries: { bad: badResponses(LATENCY_OBJECTIVE_SECONDS, whole) },
  }),
  stat('p99', {
    shows: `One response in 100 took longer. ${QUANTILE_CAVEAT}`,
    investigate: `if it exceeds the objective of ${objectiveMs} ms.`,
    seeAlso:
      '*Latency distribution* to see whether these are outliers or a second group; [Node runtime](/d/node-runtime).',
    unit: 's',
    queries: { p99: quantile(0.99, whole) },
    noValue: NO_TRAFFIC,
  }),
];

const traffic = [
  lines('Responses by status class', {
    shows: 'Responses per second of the selected routes, stacked by status class.',
    investigate: 'if red (5xx) or grey (499, client disconnected) appears.',
    seeAlso: `for 5xx, ${runbook('ErrorBudgetBurn')}; for 4xx, ${runbook('NotFoundSurge')}.`,
    unit: 'reqps',
    softMax: 1,
    stacked: true,
    queries: (['2xx', '4xx', '499', '5xx'] as const).map((legend) => ({
      expr: responses(scope, STATUS_CODES[legend]),
      legend,
    })),
    colors: ANSWER_COLORS,
    noValue: NO_TRAFFIC,
  }),
  errorShare(scope),
];

const replicas = [
  lines('Responses by replica', {
    shows: 'Responses per second of the selected routes, by replica.',
    investigate:
      'if one replica has far fewer than the others: it gets less traffic, or it does not respond.',
    seeAlso: `[Scrape health](/d/scrape-health), ${runbook('ApiReplicaDown')}.`,
    unit: 'reqps',
    softMax: 1,
    queries: { '{{instance}}': responses({ ...scope, by: ['instance'] }) },
  }),
  lines('p99 by replica', {
    shows: `99th percentile latency of the selected routes, by replica. ${QUANTILE_CAVEAT}`,
    investigate: 'if one replica is slower than the others: its process is busy or low on memory.',
    seeAlso: `[Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}.`,
    unit: 's',
    softMax: 0.01,
    queries: { '{{instance}}': quantile(0.99, { ...scope, by: ['instance'] }) },
    noValue: NO_TRAFFIC,
  }),
];

export const route = createDashboard({
  uid: 'route',
  title: 'Route',
  description: 'One route: request rate, errors and latency, in total and by replica.',
  choose: { metric: 'http_request_duration_seconds_count', labels: ['job', 'instance', 'path', 'method'] },
  rows: [
    { title: 'Whole time range', panels: summary },
    { title: 'Traffic and errors', panels: traffic },
    {
      title: 'Latency',
      panels: [latencyQuantiles(scope), latencyDistribution(scope)],
    },
    { title: 'By replica', panels: replicas },
  ],
});
