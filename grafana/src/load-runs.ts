// Before and after: one run of the load generator beside another. Both are chosen from the marks that runs write; graphs
// lay the earlier run over the later one, so that both begin at the same place.
import { type DashboardLink, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard';
import { PAIR_COLORS } from './colors.ts';
import { createDashboard } from './dashboard.ts';
import { OBJECTIVE_LINE } from './latency-and-errors.ts';
import { LATENCY_OBJECTIVE_SECONDS } from './limits.ts';
import { lines, stat } from './panels.ts';
import { badResponses, QUANTILE_CAVEAT, quantile, responses, shareOf, variable } from './promql.ts';
import { runVariables } from './run-variables.ts';
import { runbook } from './runbook.ts';

const API = 'job=~"$job"';

/** What a query gives over the whole of either run. */
const overEach = (ask: (scope: { matchers: string; window: string; moment: string }) => string) => [
  { expr: ask({ matchers: API, window: `${variable('span')}ms`, moment: '@ $end' }), legend: 'run' },
  {
    expr: ask({ matchers: API, window: `${variable('before_span')}ms`, moment: '@ $before_end' }),
    legend: 'beside',
  },
];

/** What a query gives at each moment, and gave at the same moment of the run beside. */
const overlaid = (ask: (scope: { matchers: string; moment?: string }) => string) => [
  { expr: ask({ matchers: API }), legend: 'run' },
  { expr: ask({ matchers: API, moment: `offset ${variable('shift')}ms` }), legend: 'beside' },
];

const colors = { run: PAIR_COLORS.measured, beside: PAIR_COLORS.expected };
const NO_RUN = 'No run: make load PATTERN=steady';
const figure = { width: 8, named: true, colors, noValue: NO_RUN } as const;
const counted = (matchers: string, at: string, from: string) => {
  const at_ = (moment: string) => `sum(http_request_duration_seconds_count{${matchers}} @ ${moment})`;
  return `${at_(at)} - (${at_(from)} or vector(0))`;
};

const figures = [
  stat({
    ...figure,
    title: 'Answers',
    shows:
      'What the API answered between the start of each run and the first scrape after its end: the counters, nothing extrapolated.',
    worry: 'where it is not what the generator said: `make verify` finds the series.',
    next: '[API overview](/d/api-overview) for the same time.',
    unit: 'none',
    decimals: 0,
    queries: [
      { expr: counted(API, '$end', '$run'), legend: 'run' },
      { expr: counted(API, '$before_end', '$before'), legend: 'beside' },
    ],
  }),
  stat({
    ...figure,
    title: 'Failed, 5xx',
    shows: 'Share of the answers of each run that the API failed.',
    worry: 'where it grew.',
    next: `[SLOs](/d/slos), ${runbook('ErrorBudgetBurn')}.`,
    unit: 'percentunit',
    queries: overEach((scope) => shareOf('5..', scope)),
  }),
  stat({
    ...figure,
    title: 'Failed or slow',
    shows: `Share of the answers of each run that failed or took more than ${LATENCY_OBJECTIVE_SECONDS * 1000} ms.`,
    worry: 'where it grew.',
    next: `[the routes in one table](/d/operations), ${runbook('ErrorBudgetBurn')}.`,
    unit: 'percentunit',
    queries: overEach(
      (scope) => `(${badResponses(LATENCY_OBJECTIVE_SECONDS, scope)}) / (${responses(scope)} > 0)`,
    ),
  }),
  ...[0.5, 0.95, 0.99].map((q) =>
    stat({
      ...figure,
      title: `p${q * 100}`,
      shows: `This share of the answers of each run took at most so long: ${q * 100} %. ${QUANTILE_CAVEAT}`,
      worry: 'where it grew by more than a bucket is wide.',
      next: "the generator's own report, whose quantiles are exact; [Node runtime](/d/node-runtime).",
      unit: 's',
      queries: overEach((scope) => quantile(q, scope)),
    }),
  ),
];

const courses = [
  lines({
    title: 'Answers per second',
    shows: 'The chosen run, and the one beside it moved so that both begin at the same place.',
    worry: 'where the run breaks off and the one beside does not.',
    next: '[API overview](/d/api-overview).',
    width: 12,
    unit: 'reqps',
    softMax: 1,
    queries: overlaid((scope) => responses(scope)),
    colors,
  }),
  lines({
    title: 'Share of 5xx',
    shows: 'Share of the answers that the API failed, in both runs.',
    worry: 'where the chosen run is above the one beside.',
    next: `${runbook('ErrorBudgetBurn')}.`,
    width: 12,
    unit: 'percentunit',
    softMax: 0.05,
    queries: overlaid((scope) => shareOf('5..', scope)),
    colors,
    noValue: NO_RUN,
  }),
  lines({
    title: 'Course of p99',
    shows: `One answer in a hundred took longer, in both runs. ${QUANTILE_CAVEAT} The dashed line is the objective.`,
    worry: 'where the chosen run is above the one beside.',
    next: `[Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}.`,
    width: 12,
    unit: 's',
    softMax: 0.01,
    queries: overlaid((scope) => quantile(0.99, scope)),
    colors,
    thresholds: OBJECTIVE_LINE,
    limit: true,
    noValue: NO_RUN,
  }),
  lines({
    title: 'CPU of all replicas, in cores',
    shows: 'Processor time that the API took, in both runs.',
    worry: 'where the same load costs more.',
    next: `[Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}.`,
    width: 12,
    unit: 'none',
    softMax: 0.2,
    queries: overlaid(
      ({ moment = '' }) => `sum(rate(process_cpu_seconds_total{${API}}[$__rate_interval] ${moment}))`,
    ),
    colors,
  }),
];

const window: DashboardLink = {
  title: 'Its window',
  type: DashboardLinkType.Link,
  icon: 'dashboard',
  tooltip: 'This page for exactly the time of the chosen run',
  url: `/d/load-runs?from=${variable('from')}&to=${variable('to')}&var-run=${variable('run')}&var-before=${variable('before')}`,
  tags: [],
  asDropdown: false,
  targetBlank: false,
  includeVars: false,
  keepTime: false,
};

export const loadRuns = createDashboard({
  uid: 'load-runs',
  title: 'Load runs',
  description: 'Two runs of the load generator side by side: before and after a change.',
  choose: { metric: 'http_requests_total', labels: ['job'] },
  variables: runVariables,
  links: [window],
  from: 'now-30m',
  rows: [
    { title: 'Each run as a whole', panels: figures },
    { title: 'Course of both, begun at the same place', panels: courses },
  ],
});
