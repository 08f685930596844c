// Objectives of the service as a whole, so there is no variable for an instance: budget left, burn rates, which route burns the
// budget, and firing alerts.
import { STATE_COLORS, WINDOW_COLORS } from './colors.ts';
import { createDashboard } from './dashboard.ts';
import { OBJECTIVE_LINE } from './latency-and-errors.ts';
import { BUDGETS, BURN_RATES, LATENCY_OBJECTIVE_SECONDS, type Slo } from './limits.ts';
import { limitsAt } from './panel.ts';
import { lines, states } from './panels.ts';
import { QUANTILE_CAVEAT } from './promql.ts';
import { BY_ROUTE, ROUTE_LEGEND } from './route-names.ts';
import { runbook } from './runbook.ts';
import { budgetLeft, firingNow, NO_TRAFFIC, objective } from './slo-panels.ts';

const burnLimits = BURN_RATES.map(
  ({ severity, factor }) => [severity === 'page' ? STATE_COLORS.bad : STATE_COLORS.watch, factor] as const,
);

const burnPanel = (slo: Slo, name: string) =>
  lines(`${name}: burn rate by window`, {
    shows: `How many times as fast as allowed the error budget is spent, averaged over each window: at 1 it lasts 30 days, at 2 half as long.`,
    investigate: `if a long window and its short window are both above a dashed line: ${BURN_RATES.map(
      ({ longWindow, shortWindow, factor, severity }) =>
        `${longWindow} and ${shortWindow} above ${factor} (${severity})`,
    ).join(', ')}.`,
    seeAlso: `*Which route burns the budget?* below, ${runbook('ErrorBudgetBurn')}.`,
    height: 10,
    unit: 'locale',
    softMax: 2,
    // From the fastest to the slowest to react.
    queries: Object.keys(WINDOW_COLORS).map((window) => ({
      expr: `job_slo_window:error_budget:burn_rate{cluster=~"$cluster", job=~"$job", slo="${slo}", window="${window}"}`,
      legend: window,
    })),
    colors: WINDOW_COLORS,
    ...limitsAt(...burnLimits),
    noValue: NO_TRAFFIC,
  });

const routePanels = [
  lines('5xx ratio by route', {
    shows: 'Share of 5xx in the responses of each route, over 5 minutes.',
    investigate: `if a route stays above ${BUDGETS.availability}.`,
    seeAlso: `[the details of one route](/d/route): click its line; ${runbook('ErrorBudgetBurn')}.`,
    height: 10,
    unit: 'percentunit',
    softMax: 0.01,
    queries: {
      [ROUTE_LEGEND]: 'job_path_method:http_request_errors:ratio_rate5m{cluster=~"$cluster", job=~"$job"}',
    },
    ...BY_ROUTE,
    noValue: NO_TRAFFIC,
  }),
  lines('p99 latency by route', {
    shows: `99th percentile of each route over 5 minutes. ${QUANTILE_CAVEAT} The dashed line is the objective of ${LATENCY_OBJECTIVE_SECONDS * 1000} ms.`,
    investigate: 'if a route stays above the dashed line.',
    seeAlso: `[the details of one route](/d/route): click its line; ${runbook('ErrorBudgetBurn')}.`,
    height: 10,
    unit: 's',
    softMax: 0.01,
    queries: {
      [ROUTE_LEGEND]:
        'job_path_method_quantile:http_request_duration_seconds:rate5m{cluster=~"$cluster", job=~"$job", quantile="0.99"}',
    },
    ...BY_ROUTE,
    ...OBJECTIVE_LINE,
    noValue: NO_TRAFFIC,
  }),
];

const alertPanels = [
  firingNow(7),
  states('Fired in this time range', {
    shows: 'When each alert fired, and for how long.',
    investigate: 'if alerts start and stop together: they probably have one cause.',
    seeAlso: '[the runbook](/d/runbook), starting with the alert that fired first.',
    queries: { '{{alertname}} ({{severity}})': 'max by (alertname, severity) (ALERTS{alertstate="firing"})' },
    words: { 1: { text: 'firing', color: STATE_COLORS.bad } },
    noValue: 'Nothing fired',
  }),
];

export const slos = createDashboard({
  uid: 'slos',
  title: 'SLOs',
  description:
    'Does the API meet its objectives, how long will its error budgets last, and which alerts are firing?',
  choose: { metric: 'job_slo:requests:rate5m', labels: ['job'] },
  // Windows of several days change slowly, and 30 days of samples are expensive to read.
  from: 'now-6h',
  refresh: '30s',
  rows: [
    {
      title: 'Objectives',
      panels: [
        objective('availability', 12),
        budgetLeft('availability', 12),
        objective('latency', 12),
        budgetLeft('latency', 12),
      ],
    },
    { title: 'Alerts', panels: alertPanels },
    {
      title: 'Burn rates',
      panels: [burnPanel('availability', 'Availability'), burnPanel('latency', 'Latency')],
    },
    { title: 'Which route burns the budget?', panels: routePanels },
  ],
});
