// One page for the person on call: is it well, and if not, what first? Objectives, then the routes by what hurts, then what
// runs short.
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
/** A row is about the whole time range, so that an hour that has passed can be looked at as well. */
const scope = { by, window: '$__range' };
const objectiveMs = LATENCY_OBJECTIVE_SECONDS * 1000;

const routes = [
  table('Routes, those that hurt first', {
    shows: `Each route that was asked in this time range: answers per second, those of them that failed or took more than ${objectiveMs} ms, the share that failed, and how long. Sorted by what burns the budgets. ${QUANTILE_CAVEAT}`,
    investigate: 'if there are red numbers in the first rows.',
    seeAlso: `[that route alone](/d/route): click a path; ${runbook('ErrorBudgetBurn')}.`,
    // Ten rows: the routes of the API, and `unmatched`.
    height: 13,
    legend: ROUTE_LEGEND,
    columns: [
      { field: 'method', heading: 'Method', width: 75 },
      { field: 'path', heading: 'Path', link: ROUTE_ROW_LINK },
      { expr: `${responses(scope)} > 0`, heading: 'Answers', unit: 'reqps', width: 115 },
      {
        // Of a route that was not asked nothing is bad, and it needs no row.
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
    noValue: 'Nothing was asked in this time range',
  }),
  lines(`Course of the ${TOP} busiest routes`, {
    shows: 'Answers per second of each route over the time range.',
    investigate: 'if one line breaks off or climbs while the others do not.',
    seeAlso: '[that route alone](/d/route): click a line.',
    width: 24,
    unit: 'reqps',
    softMax: 1,
    queries: {
      [ROUTE_LEGEND]: `${responses({ by })} and topk(${TOP}, sum by (path, method) (increase(http_request_duration_seconds_count{${CHOSEN}}[$__range] @ end())) > 0)`,
    },
    ...BY_ROUTE,
    noValue: 'Nothing was asked in this time range',
  }),
];

export const operations = createDashboard({
  uid: 'operations',
  title: 'Operations',
  description: 'Is it well, and if not, what first?',
  choose: { metric: 'http_requests_total', labels: ['job', 'instance'] },
  from: 'now-15m',
  rows: [
    {
      title: 'Is it well?',
      panels: [statePanel(8), budgetLeft('availability', 8), budgetLeft('latency', 8), firingNow(8)],
    },
    { title: 'Which route?', panels: routes },
    { title: 'What runs short?', panels: [eventLoopLate, cpu, memoryOfLimit, openConnections] },
  ],
});
