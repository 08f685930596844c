// Error and latency panels that several dashboards share, for the selected jobs and instances or for one route.
import { ANSWER_COLORS, QUANTILE_COLORS } from './colors.ts';
import { BUDGETS, LATENCY_OBJECTIVE_SECONDS } from './limits.ts';
import { lineAt } from './panel.ts';
import { heatmap, lines } from './panels.ts';
import { CHOSEN, errorsOf, QUANTILE_CAVEAT, quantile, shareOf } from './promql.ts';
import { runbook } from './runbook.ts';

interface Place {
  height?: number;
  matchers?: string;
}

const NO_TRAFFIC = 'No requests in this time range';

export const OBJECTIVE_LINE = lineAt(LATENCY_OBJECTIVE_SECONDS);

/** Status classes as regular expressions of status codes; 499, a client that disconnected early, is a separate class. */
export const STATUS_CODES = {
  '2xx': '[123]..',
  '4xx': '4[0-8].|49[0-8]',
  '499': '499',
  '5xx': '5..',
} as const;

export const errorShare = ({ matchers = CHOSEN, ...place }: Place) =>
  lines('Error ratio: 4xx, 499 and 5xx', {
    ...place,
    shows:
      'Share of responses that are client errors (4xx), client disconnects (499) or failures of the API (5xx). Without traffic there is no line.',
    investigate: `if 5xx exceed the error budget of ${BUDGETS.availability}, or if 499 rise: clients give up on slow responses.`,
    seeAlso: `[SLOs](/d/slos), ${runbook('ErrorBudgetBurn')}; for 4xx, ${runbook('NotFoundSurge')}.`,
    unit: 'percentunit',
    legend: 'table',
    softMax: 0.05,
    // Exemplars are on the counter of errors, which has no routes.
    ...(matchers === CHOSEN && { exemplars: true }),
    queries: (['5xx', '4xx', '499'] as const).map((legend) => ({
      expr:
        matchers === CHOSEN ? errorsOf(STATUS_CODES[legend]) : shareOf(STATUS_CODES[legend], { matchers }),
      legend,
    })),
    colors: {
      '5xx': ANSWER_COLORS['5xx'],
      '4xx': ANSWER_COLORS['4xx'],
      '499': ANSWER_COLORS['499'],
    },
    noValue: NO_TRAFFIC,
  });

export const latencyQuantiles = ({ matchers = CHOSEN, ...place }: Place) =>
  lines('Latency p50, p95 and p99', {
    ...place,
    shows: `Time from the arrival of a request to the end of its response. ${QUANTILE_CAVEAT} The dashed line is the objective of ${LATENCY_OBJECTIVE_SECONDS * 1000} ms.`,
    investigate: 'if p99 stays above the dashed line: more than 1 % of responses are slow.',
    seeAlso: `*Latency distribution*, [the table of all routes](/d/operations), ${runbook('ErrorBudgetBurn')}.`,
    unit: 's',
    legend: 'table',
    softMax: 0.01,
    queries: Object.fromEntries([0.99, 0.95, 0.5].map((q) => [`p${q * 100}`, quantile(q, { matchers })])),
    exemplars: true,
    colors: QUANTILE_COLORS,
    ...OBJECTIVE_LINE,
    noValue: NO_TRAFFIC,
  });

export const latencyDistribution = ({ matchers = CHOSEN, ...place }: Place) => {
  const native = `increase(http_request_duration_seconds{${matchers}}[$__rate_interval])`;
  const classic = `increase(http_request_duration_seconds_bucket{${matchers}}[$__rate_interval])`;
  return heatmap('Latency distribution', {
    ...place,
    shows:
      'Responses by latency: the stronger the colour, the more responses. Each row is a bucket, 4.4 % wide with native histograms.',
    investigate:
      'if there are two bands: two kinds of requests or replicas behave differently, which a percentile hides.',
    seeAlso:
      '[the table of all routes](/d/operations); for a single replica, *Instance* at the top; for a busy process, [Node runtime](/d/node-runtime).',
    unit: 's',
    exemplars: true,
    // Only one of the two returns data: Grafana draws the cells of one kind of histogram.
    queries: [
      { expr: `sum(${native})`, legend: 'native', format: 'range' },
      { expr: `sum by (le) (${classic}) unless on () count(${native})`, legend: '{{le}}' },
    ],
    noValue: NO_TRAFFIC,
  });
};
