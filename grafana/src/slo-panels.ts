// The panels on objectives and alerts that more than one dashboard shows.
import { STATE_COLORS } from './colors.ts';
import { BUDGETS, LATENCY_OBJECTIVE_SECONDS, OBJECTIVES, type Slo } from './limits.ts';
import { stat } from './panels.ts';
import { runbook } from './runbook.ts';
import { table } from './table.ts';

export const NO_TRAFFIC = 'No traffic: nothing burns';
const NAMES = { availability: 'Availability', latency: 'Latency' } as const;
const GOOD_MEANS = {
  availability: 'that did not fail with a 5xx; what the client got wrong, 4xx, is in neither number',
  latency: `that were answered within ${LATENCY_OBJECTIVE_SECONDS * 1000} ms; a client that gave up later than that counts as a slow answer`,
};

/** Over 30 days, from 5-minute rates, which are fewer series to read than the counters. */
const failureRatio = (slo: Slo) => {
  const average = (series: string) =>
    `avg_over_time(job_slo:${series}:rate5m{cluster=~"$cluster", job=~"$job", slo="${slo}"}[30d])`;
  return `${average('failures')} / (${average('requests')} > 0)`;
};

export const objective = (slo: Slo, width: number) =>
  stat(`${NAMES[slo]}, last 30 days`, {
    shows: `Share of requests ${GOOD_MEANS[slo]}. Over 30 days, or since the first data where there is less.`,
    investigate: `if it is below ${OBJECTIVES[slo] * 100} %, the objective.`,
    seeAlso: `*Which route burns it* below, ${runbook('ErrorBudgetBurn')}.`,
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
    shows: `Share of the 30-day error budget that is not spent: of requests, ${BUDGETS[slo]} may be bad.`,
    investigate:
      'if it is below a quarter. Below 0 the objective is missed: stop risky releases and repair what burns.',
    seeAlso: `the burn rates in [SLOs](/d/slos) for how fast it goes, ${runbook('ErrorBudgetBurn')}.`,
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
/** In the order of the rows. */
const PAGES_FIRST = `${byAlert('ALERTS{alertstate="firing", severity="page"}')} or ${byAlert(FIRING)}`;

export const firingNow = (height: number) =>
  table('Firing now', {
    shows: 'Every alert that fires now, of the API and of Prometheus itself, pages first.',
    investigate: 'if a *page* fires, at once; if a *ticket* does, in working hours. An *info* needs nothing.',
    seeAlso:
      '[the runbook](/d/runbook): what each one means, what to look at and what to do. Click its name.',
    height,
    // That nothing fires can be said only where there are fresh samples.
    expr: `${PAGES_FIRST} or label_replace(0 * max(up) unless on () ${FIRING}, "alertname", "Nothing is firing", "", "")`,
    legend: '{{alertname}}',
    columns: [
      {
        field: 'alertname',
        heading: 'Alert',
        link: { title: 'What it means and what to do', url: '/d/runbook' },
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
