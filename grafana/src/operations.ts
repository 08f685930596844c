// One page for the on-call engineer: is the API healthy, which route is worst, and what is running out?
import { createDashboard } from './dashboard.ts';
import { LATENCY_OBJECTIVE_SECONDS, OBJECTIVES } from './limits.ts';
import { warnFrom } from './panel.ts';
import { lines } from './panels.ts';
import { badResponses, CHOSEN, QUANTILE_CAVEAT, quantile, responses, shareOf, TOP } from './promql.ts';
import { BY_ROUTE, ROUTE_LEGEND, ROUTE_ROW_LINK } from './route-names.ts';
import { runbook } from './runbook.ts';
import { cpu, eventLoopLate, memoryOfLimit, openConnections } from './saturation.ts';
import { budgetLeft, firingNow } from './slo-panels.ts';
import { statePanel } from './state.ts';
import { table } from './table.ts';

const by = ['path', 'method'];
/** Rows cover the whole time range, so that the table also works for a past hour. */
const scope = { by, window: '$__range' };
const objectiveMs = LATENCY_OBJECTIVE_SECONDS * 1000;

const routes = [
  table('Routes, worst first', {
    shows: `Responses per second of each route with traffic in this time range. Bad responses (5xx, or slower than ${objectiveMs} ms) burn the error budgets. ${QUANTILE_CAVEAT}`,
    investigate: 'if the first rows have red numbers.',
    seeAlso: `[the details of one route](/d/route): click its path; ${runbook('ErrorBudgetBurn')}.`,
    // Ten rows: the routes of the API, and `unmatched`.
    height: 13,
    legend: ROUTE_LEGEND,
    columns: [
      { field: 'method', heading: 'Method', width: 75 },
      { field: 'path', heading: 'Path', link: ROUTE_ROW_LINK },
      { expr: `${responses(scope)} > 0`, heading: 'Responses', unit: 'reqps', width: 115 },
      {
        // Routes without traffic get no row.
        expr: `(${badResponses(LATENCY_OBJECTIVE_SECONDS, scope)}) and ${responses(scope)} > 0`,
        heading: 'Bad',
        unit: 'reqps',
        width: 115,
        thresholds: warnFrom(1e-9),
      },
      {
        expr: shareOf('5..', scope),
        heading: '5xx',
        unit: 'percentunit',
        decimals: 2,
        width: 80,
        thresholds: warnFrom(1 - OBJECTIVES.availability),
      },
      { expr: quantile(0.5, scope), heading: 'p50', unit: 's', width: 90 },
      {
        expr: quantile(0.99, scope),
        heading: 'p99',
        unit: 's',
        width: 90,
        thresholds: warnFrom(LATENCY_OBJECTIVE_SECONDS),
      },
    ],
    sortBy: 'Bad',
    noValue: 'No requests in this time range',
  }),
  lines(`The ${TOP} busiest routes over time`, {
    shows: 'Responses per second of each route.',
    investigate: 'if one line drops or climbs while the others do not.',
    seeAlso: '[the details of one route](/d/route): click its line.',
    width: 24,
    unit: 'reqps',
    softMax: 1,
    queries: {
      [ROUTE_LEGEND]: `${responses({ by })} and topk(${TOP}, sum by (path, method) (increase(http_request_duration_seconds_count{${CHOSEN}}[$__range] @ end())) > 0)`,
    },
    ...BY_ROUTE,
    noValue: 'No requests in this time range',
  }),
];

export const operations = createDashboard({
  uid: 'operations',
  title: 'Operations',
  description: 'Is the API healthy, and if not, where to start?',
  choose: { metric: 'http_requests_total', labels: ['job', 'instance'] },
  from: 'now-15m',
  rows: [
    {
      title: 'Is the API healthy?',
      panels: [statePanel(8), budgetLeft('availability', 8), budgetLeft('latency', 8), firingNow(8)],
    },
    { title: 'Which route?', panels: routes },
    { title: 'What is running out?', panels: [eventLoopLate, cpu, memoryOfLimit, openConnections] },
  ],
});
