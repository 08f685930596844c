// The panels on errors and latency that several dashboards show, of all that is chosen or of one route.
import { ANSWER_COLORS, QUANTILE_COLORS } from './colors.ts';
import { BUDGETS, LATENCY_OBJECTIVE_SECONDS } from './limits.ts';
import { lineAt } from './panel.ts';
import { heatmap, lines } from './panels.ts';
import { CHOSEN, QUANTILE_CAVEAT, quantile, shareOf } from './promql.ts';
import { runbook } from './runbook.ts';

interface Place {
  height?: number;
  matchers?: string;
}

const NO_TRAFFIC = 'Nothing was asked in this time range';

export const OBJECTIVE_LINE = lineAt(LATENCY_OBJECTIVE_SECONDS);

/** Classes of answers as regular expressions of status codes; a client that left early is a class of its own. */
export const STATUS_CODES = {
  '2xx': '[123]..',
  '4xx': '4[0-8].|49[0-8]',
  '499': '499',
  '5xx': '5..',
} as const;

export const errorShare = ({ matchers = CHOSEN, ...place }: Place) =>
  lines('Share of answers: 4xx, 499 and 5xx', {
    ...place,
    shows:
      'Of all answers, those that the client asked wrongly (4xx), left before they were complete (499), and that the API failed (5xx). Where nothing was asked there is no share and no line.',
    investigate: `if 5xx are above ${BUDGETS.availability}, the objective, or 499 rise: users leave slow pages.`,
    seeAlso: `[SLOs](/d/slos), ${runbook('ErrorBudgetBurn')}; 4xx: ${runbook('NotFoundSurge')}.`,
    unit: 'percentunit',
    legend: 'table',
    softMax: 0.05,
    queries: (['5xx', '4xx', '499'] as const).map((legend) => ({
      expr: shareOf(STATUS_CODES[legend], { matchers }),
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
    shows: `From entry to the end of the response, replicas together. ${QUANTILE_CAVEAT} The dashed line is the objective of ${LATENCY_OBJECTIVE_SECONDS * 1000} ms.`,
    investigate: 'if p99 stays above the dashed line: more than 1 % of the answers are slow.',
    seeAlso: `*Latency distribution*, [the routes in one table](/d/operations), ${runbook('ErrorBudgetBurn')}.`,
    unit: 's',
    legend: 'table',
    softMax: 0.01,
    queries: Object.fromEntries([0.99, 0.95, 0.5].map((q) => [`p${q * 100}`, quantile(q, { matchers })])),
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
      'Responses by latency bucket: the stronger the colour, the more. Buckets are 4 % wide from a native histogram, else those of the classic one.',
    investigate: 'if there are two bands: two kinds of request or of replica, which a percentile hides.',
    seeAlso:
      '[the routes in one table](/d/operations), or choose one instance at the top; a busy process: [Node runtime](/d/node-runtime).',
    unit: 's',
    // One of the two answers: Grafana draws the cells of one kind of histogram.
    queries: [
      { expr: `sum(${native})`, legend: 'native', format: 'range' },
      { expr: `sum by (le) (${classic}) unless on () count(${native})`, legend: '{{le}}' },
    ],
    noValue: NO_TRAFFIC,
  });
};
