// One route's own view (or several chosen ones): rate, errors, latency and replicas, where a click on a route leads.
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

/** Over the whole time range, as in the table that leads here: the graphs below have the values of each moment. */
const whole = { ...scope, window: '$__range' };

const summary = [
  stat('Answers per second', {
    shows:
      'Answers of the chosen routes with any status, all replicas together, on average over the time range.',
    investigate: 'if the time of day does not explain it.',
    seeAlso: '*Answers by class of status* below, [API overview](/d/api-overview) for all routes.',
    unit: 'reqps',
    queries: { rate: responses(whole) },
  }),
  stat('Failed, 5xx', {
    shows: 'Share of the answers in this time range that the API failed.',
    investigate: `if it is above ${BUDGETS.availability}, the objective of the service as a whole.`,
    seeAlso: `[SLOs](/d/slos), ${runbook('ErrorBudgetBurn')}.`,
    unit: 'percentunit',
    queries: { '5xx': shareOf('5..', whole) },
    noValue: NO_TRAFFIC,
  }),
  stat('Failed or slow', {
    shows: `Answers a second that failed, or took more than ${objectiveMs} ms: these burn an error budget.`,
    investigate: 'if it is not 0 over a long range.',
    seeAlso: '*Latency distribution*, [Node runtime](/d/node-runtime).',
    unit: 'reqps',
    queries: { bad: badResponses(LATENCY_OBJECTIVE_SECONDS, whole) },
  }),
  stat('p99', {
    shows: `One answer in a hundred took longer than this. ${QUANTILE_CAVEAT}`,
    investigate: `if it is above ${objectiveMs} ms, the objective.`,
    seeAlso:
      '*Latency distribution* says whether these are a few or a second crowd; [Node runtime](/d/node-runtime).',
    unit: 's',
    queries: { p99: quantile(0.99, whole) },
    noValue: NO_TRAFFIC,
  }),
];

const traffic = [
  lines('Answers by class of status', {
    shows: 'Answers per second of the chosen routes, piled up by class of status code.',
    investigate: 'if red or grey appears.',
    seeAlso: `5xx: ${runbook('ErrorBudgetBurn')}; 4xx: ${runbook('NotFoundSurge')}.`,
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
  lines('Answers by replica', {
    shows: 'Answers per second of the chosen routes, by replica.',
    investigate: 'if one replica gets far fewer than the others: it is not balanced to, or does not answer.',
    seeAlso: `[Scrape health](/d/scrape-health), ${runbook('ApiReplicaDown')}.`,
    unit: 'reqps',
    softMax: 1,
    queries: { '{{instance}}': responses({ ...scope, by: ['instance'] }) },
  }),
  lines('p99 by replica', {
    shows: `The 99th percentile of the chosen routes, by replica. ${QUANTILE_CAVEAT}`,
    investigate: 'if one is slower than the others: that process is busy or short of memory.',
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
  description: 'One route alone: how often, how well and how fast it answers, and on which replica.',
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
