// Objectives of the service as a whole, so there is no choice of an instance: budget left, how fast it goes, which route
// burns it, and what is firing.
import { createDashboard } from './dashboard.ts';
import { BURN_RATES, LATENCY_OBJECTIVE_SECONDS, OBJECTIVES } from './limits.ts';
import { lines, stat, states, type ThresholdStep, table } from './panels.ts';

type Slo = keyof typeof OBJECTIVES;

const noTraffic = 'No traffic: nothing burns';
const objectiveMs = LATENCY_OBJECTIVE_SECONDS * 1000;
const goodMeans = {
  availability: 'that did not fail with a 5xx; what the client got wrong, 4xx, is in neither number',
  latency: `that were answered within ${objectiveMs} ms; a client that gave up later than that counts as a slow answer`,
};

const failureRatio = (slo: Slo) => {
  const average = (series: string) =>
    `avg_over_time(job_slo:${series}:rate5m{job=~"$job", slo="${slo}"}[30d])`;
  return `${average('failures')} / (${average('requests')} > 0)`;
};

const objectivePanels = (slo: Slo, name: string) => [
  stat({
    title: `${name}, last 30 days`,
    description: `Share of requests ${goodMeans[slo]}. The objective is ${OBJECTIVES[slo] * 100} %. Over 30 days, or since the first data where there is less.`,
    width: 12,
    unit: 'percentunit',
    decimals: 3,
    queries: [{ expr: `1 - ${failureRatio(slo)}`, legend: '{{job}}' }],
    thresholds: [
      ['red', null],
      ['green', OBJECTIVES[slo]],
    ],
    noValue: noTraffic,
  }),
  stat({
    title: `${name} budget left`,
    description:
      'Share of the 30-day error budget that is not spent. Below 0 the objective is missed: stop what is risky and repair what burns. See the burn rates for how fast it goes.',
    width: 12,
    unit: 'percentunit',
    decimals: 1,
    queries: [
      {
        expr: `1 - ${failureRatio(slo)} / on () group_left () (1 - slo:objective:ratio{slo="${slo}"})`,
        legend: '{{job}}',
      },
    ],
    thresholds: [
      ['red', null],
      ['orange', 0],
      ['green', 0.25],
    ],
    noValue: noTraffic,
  }),
];

const burnSteps: ThresholdStep[] = [
  ['green', null],
  ...BURN_RATES.map(({ color, factor }) => [color, factor] as const),
];

/** From the quickest to the slowest to move. */
const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'];

const burnPanel = (slo: Slo, name: string) =>
  lines({
    title: `${name}: burn rate by window`,
    description: `How many times faster than allowed the budget goes: at 1 it lasts exactly 30 days. An alert fires when a long and a short window are both above a dashed line: ${BURN_RATES.map(
      ({ longWindow, shortWindow, factor, severity }) =>
        `${longWindow} and ${shortWindow} above ${factor} (${severity})`,
    ).join(', ')}.`,
    width: 12,
    height: 13,
    unit: 'none',
    decimals: 2,
    queries: WINDOWS.map((window) => ({
      expr: `job_slo_window:error_budget:burn_rate{job=~"$job", slo="${slo}", window="${window}"}`,
      legend: window,
    })),
    ordered: true,
    thresholds: burnSteps,
    limit: true,
    noValue: noTraffic,
  });

const routePanels = [
  lines({
    title: '5xx ratio by route',
    description:
      'Which route burns the availability budget: its 5xx as a share of all its responses, over 5 minutes.',
    width: 12,
    height: 9,
    unit: 'percentunit',
    decimals: 2,
    queries: [
      {
        expr: 'job_path_method:http_request_errors:ratio_rate5m{job=~"$job"}',
        legend: '{{method}} /{{path}}',
      },
    ],
    noValue: noTraffic,
  }),
  lines({
    title: 'p99 latency by route',
    description: `Which route burns the latency budget: the 99th percentile over 5 minutes. The dashed line is the objective of ${objectiveMs} ms.`,
    width: 12,
    height: 9,
    unit: 's',
    queries: [
      {
        expr: 'job_path_method_quantile:http_request_duration_seconds:rate5m{job=~"$job", quantile="0.99"}',
        legend: '{{method}} /{{path}}',
      },
    ],
    thresholds: [
      ['green', null],
      ['red', LATENCY_OBJECTIVE_SECONDS],
    ],
    limit: true,
    noValue: noTraffic,
  }),
];

const alertPanels = [
  table({
    title: 'Firing now',
    description:
      'Every alert that fires now, of the API and of Prometheus itself. What each one means and what to do: docs/runbook.md.',
    width: 24,
    height: 7,
    unit: 'none',
    queries: [{ expr: 'ALERTS{alertstate="firing"}', legend: '{{alertname}}' }],
    columns: {
      alertname: 'Alert',
      severity: 'Severity',
      job: 'Job',
      instance: 'Instance',
      slo: 'SLO',
      window: 'Window',
    },
    noValue: 'Nothing is firing',
  }),
  states({
    title: 'Fired in this time range',
    description: 'When each alert fired and for how long. Alerts that come and go together have one cause.',
    width: 24,
    height: 7,
    unit: 'none',
    queries: [
      {
        expr: 'max by (alertname, severity) (ALERTS{alertstate="firing"})',
        legend: '{{alertname}} ({{severity}})',
      },
    ],
    words: { 1: { text: 'firing', color: 'red' } },
    noValue: 'Nothing fired',
  }),
];

export const slos = createDashboard({
  uid: 'slos',
  title: 'SLOs',
  description:
    'Is the API good enough for its users, how long will its error budget last, and what is firing?',
  metric: 'job_slo:requests:rate5m',
  variables: ['job'],
  // Windows of days change slowly, and 30 days are many samples to read.
  from: 'now-6h',
  refresh: '30s',
  rows: [
    {
      title: 'Objectives',
      panels: [...objectivePanels('availability', 'Availability'), ...objectivePanels('latency', 'Latency')],
    },
    { title: 'Alerts', panels: alertPanels },
    {
      title: 'Burn rates',
      panels: [burnPanel('availability', 'Availability'), burnPanel('latency', 'Latency')],
    },
    { title: 'Which route burns it', panels: routePanels },
  ],
});
