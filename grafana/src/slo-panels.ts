// Panels about objectives and alerts that several dashboards share.
import { STATE_COLORS } from './colors.ts';
import { BUDGETS, LATENCY_OBJECTIVE_SECONDS, OBJECTIVES, type Slo } from './limits.ts';
import { stat } from './panels.ts';
import { runbook } from './runbook.ts';
import { table } from './table.ts';

export const NO_TRAFFIC = 'No traffic: no budget burns';
const NAMES = { availability: 'Availability', latency: 'Latency' } as const;
const GOOD_MEANS = {
  availability: 'that did not fail with a 5xx. Client errors (4xx) are left out',
  latency: `that were answered within ${LATENCY_OBJECTIVE_SECONDS * 1000} ms. Errors (4xx and 5xx) are left out, but a client that gave up later (499) counts as slow`,
};

/** Over 30 days, from the recorded 5-minute rates: far fewer series to read than the counters. */
const failureRatio = (slo: Slo) => {
  const average = (series: string) =>
    `avg_over_time(job_slo:${series}:rate5m{cluster=~"$cluster", job=~"$job", slo="${slo}"}[30d])`;
  return `${average('failures')} / (${average('requests')} > 0)`;
};

export const objective = (slo: Slo, width: number) =>
  stat(`${NAMES[slo]}, last 30 days`, {
    shows: `Share of requests ${GOOD_MEANS[slo]}. Over 30 days, or all data if there is less.`,
    investigate: `if it is below the objective of ${OBJECTIVES[slo] * 100} %.`,
    seeAlso: `*Which route burns the budget?* below, ${runbook('ErrorBudgetBurn')}.`,
    width,
    unit: 'percentunit',
    decimals: 3,
    queries: { '{{job}}': `1 - ${failureRatio(slo)}` },
    thresholds: [
      [STATE_COLORS.bad, null],
      [STATE_COLORS.well, OBJECTIVES[slo]],
    ],
    noValue: NO_TRAFFIC,
  });

export const budgetLeft = (slo: Slo, width: number) =>
  stat(`${NAMES[slo]} budget left`, {
    shows: `Remaining share of the 30-day error budget, which allows ${BUDGETS[slo]} of requests to be bad.`,
    investigate:
      'if it is below 25 %. Below 0 the objective is missed: stop risky releases and fix what burns the budget.',
    seeAlso: `the burn rates in [SLOs](/d/slos), ${runbook('ErrorBudgetBurn')}.`,
    width,
    unit: 'percentunit',
    decimals: 1,
    queries: {
      '{{job}}': `1 - ${failureRatio(slo)} / on () group_left () (1 - slo:objective:ratio{slo="${slo}"})`,
    },
    thresholds: [
      [STATE_COLORS.bad, null],
      [STATE_COLORS.watch, 0],
      [STATE_COLORS.well, 0.25],
    ],
    noValue: NO_TRAFFIC,
  });

const FIRING = 'ALERTS{alertstate="firing"}';
const byAlert = (alerts: string) => `max by (alertname, severity, slo, window) (${alerts})`;
/** Lists pages before other alerts. */
const PAGES_FIRST = `${byAlert('ALERTS{alertstate="firing", severity="page"}')} or ${byAlert(FIRING)}`;

export const firingNow = (height: number) =>
  table('Firing now', {
    shows: 'All firing alerts about the API and Prometheus, pages first.',
    investigate:
      'if a *page* fires: now. If a *ticket* fires: in working hours. An *info* alert needs no action.',
    seeAlso: '[the runbook](/d/runbook): click the name of an alert.',
    height,
    // Without recent samples, an empty result would not mean that nothing is firing.
    expr: `${PAGES_FIRST} or label_replace(0 * max(up) unless on () ${FIRING}, "alertname", "Nothing is firing", "", "")`,
    legend: '{{alertname}}',
    columns: [
      {
        field: 'alertname',
        heading: 'Alert',
        link: { title: 'Runbook', url: '/d/runbook' },
      },
      {
        field: 'severity',
        heading: 'Severity',
        words: { page: STATE_COLORS.bad, ticket: STATE_COLORS.watch, info: STATE_COLORS.none },
      },
      { field: 'slo', heading: 'SLO' },
      { field: 'window', heading: 'Window' },
    ],
  });
