// Is the monitoring itself reliable: are targets scraped, does the number of series stay bounded, are rules evaluated?
import { inOrder, STATE_COLORS } from './colors.ts';
import { createDashboard } from './dashboard.ts';
import { RULES_INTERVAL_SECONDS, SCRAPE_TIMEOUT_SECONDS } from './limits.ts';
import { COUNT, lineAt, warnFrom } from './panel.ts';
import { lines, stat, states } from './panels.ts';
import { CHOSEN } from './promql.ts';
import { runbook } from './runbook.ts';

const NOT_CHOSEN = 'Prometheus is not selected';
const EACH_TARGET = '{{job}} {{instance}}';

const targets = [
  stat('Targets up', {
    shows: 'Targets whose last scrape succeeded: replicas of the API, your services, and Prometheus itself.',
    investigate:
      'if it is lower than the number of replicas and services that you run, plus one for Prometheus.',
    seeAlso: `*Status of each target*, ${runbook('ApiTargetMissing')}.`,
    ...COUNT,
    queries: { up: `sum(up{${CHOSEN}})` },
    noValue: 'No targets',
  }),
  stat('Targets down', {
    shows: 'Targets whose last scrape failed: unreachable, too slow, or over the sample limit.',
    investigate: 'if it is above 0.',
    seeAlso: `${runbook('ApiDown')}, ${runbook('ApiReplicaDown')}.`,
    ...COUNT,
    queries: { down: `count(up{${CHOSEN}} == 0) or vector(0)` },
    thresholds: warnFrom(1),
  }),
  stat('Series in memory', {
    shows: 'Series of all targets and rules that Prometheus has in memory (its head block).',
    investigate: 'if it grows without a release.',
    seeAlso: `*New series by target*, ${runbook('SeriesGrowth')}.`,
    ...COUNT,
    queries: { series: `sum(prometheus_tsdb_head_series{${CHOSEN}})` },
    noValue: NOT_CHOSEN,
  }),
  stat('Failed rules', {
    shows: 'Rule evaluations that failed in this time range.',
    investigate: 'if it is above 0: their series or alerts are missing.',
    seeAlso: `${runbook('PrometheusRuleFailing')}.`,
    ...COUNT,
    queries: { failures: `sum(increase(prometheus_rule_evaluation_failures_total{${CHOSEN}}[$__range]))` },
    thresholds: warnFrom(1),
    noValue: NOT_CHOSEN,
  }),
  states('Status of each target', {
    shows:
      'Whether the scrapes of each target succeeded. In a gap, its DNS name had no address, or Prometheus stored nothing.',
    investigate: 'if scrapes fail and the target was not restarting.',
    seeAlso: `${runbook('ApiDown')}, ${runbook('ApiTargetMissing')}.`,
    queries: { [EACH_TARGET]: `up{${CHOSEN}}` },
    words: { 0: { text: 'down', color: STATE_COLORS.bad }, 1: { text: 'up', color: STATE_COLORS.well } },
    noValue: 'No targets',
  }),
];

const scrapes = [
  lines('Scrape duration', {
    shows: 'How long the scrapes of each target take.',
    investigate: `if it is near the dashed line: a scrape that takes more than ${SCRAPE_TIMEOUT_SECONDS} s fails.`,
    seeAlso: `[Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}.`,
    softMax: 0.05,
    unit: 's',
    queries: { [EACH_TARGET]: `scrape_duration_seconds{${CHOSEN}}` },
    ...lineAt(SCRAPE_TIMEOUT_SECONDS),
  }),
  lines('Samples per scrape', {
    shows:
      'Samples that each target exposes. The number is fixed for the API, and grows with use for Prometheus.',
    investigate: 'if the line of the API climbs: a label has unbounded values.',
    seeAlso: `${runbook('SeriesGrowth')}, ${runbook('SampleLimitNear')}.`,
    softMax: 1000,
    ...COUNT,
    queries: { [EACH_TARGET]: `scrape_samples_post_metric_relabeling{${CHOSEN}}` },
  }),
];

const database = [
  lines('Series in memory over time', {
    shows: 'Series that Prometheus has in memory. New targets and rules appear as steps.',
    investigate: 'if it rises steadily: labels keep getting new values (churn).',
    seeAlso: `*New series by target*, ${runbook('SeriesGrowth')}.`,
    softMax: 1000,
    ...COUNT,
    queries: { '{{instance}}': `prometheus_tsdb_head_series{${CHOSEN}}` },
    noValue: NOT_CHOSEN,
  }),
  lines('New series by target', {
    shows: 'Series that a target exposed for the first time: all of them at its start, then none.',
    investigate: 'if new series keep appearing.',
    seeAlso: `${runbook('SeriesGrowth')}.`,
    softMax: 100,
    ...COUNT,
    queries: { [EACH_TARGET]: `sum_over_time(scrape_series_added{${CHOSEN}}[$__rate_interval])` },
  }),
];

const lost = {
  'failed rules': 'prometheus_rule_evaluation_failures_total',
  'too many samples': 'prometheus_target_scrapes_exceeded_sample_limit_total',
  'duplicate samples': 'prometheus_target_scrapes_sample_duplicate_timestamp_total',
  'samples out of order': 'prometheus_target_scrapes_sample_out_of_order_total',
  'samples out of bounds': 'prometheus_target_scrapes_sample_out_of_bounds_total',
  'failed notifications': 'prometheus_notifications_errors_total',
};

const rules = [
  lines('Rule evaluation time by group', {
    shows: 'Duration of the last evaluation of each rule group.',
    investigate: `if a group takes longer than ${RULES_INTERVAL_SECONDS} s, the usual interval: it misses evaluations.`,
    seeAlso: `${runbook('PrometheusRuleFailing')}.`,
    softMax: 0.02,
    unit: 's',
    queries: {
      '{{group}}': `label_replace(prometheus_rule_group_last_duration_seconds{${CHOSEN}}, "group", "$1", "rule_group", ".+;(.+)")`,
    },
    noValue: NOT_CHOSEN,
  }),
  lines('Failures in Prometheus', {
    shows: 'Failed rule evaluations, rejected scrapes and samples, and failed notifications, per second.',
    investigate: 'if one is above 0.',
    seeAlso: `${runbook('PrometheusSamplesRejected')}, ${runbook('PrometheusRuleFailing')}, ${runbook('PrometheusNotificationsFailing')}.`,
    softMax: 1,
    unit: 'locale',
    queries: Object.fromEntries(
      Object.entries(lost).map(([legend, metric]) => [
        legend,
        `sum(rate(${metric}{${CHOSEN}}[$__rate_interval]))`,
      ]),
    ),
    colors: inOrder(...Object.keys(lost)),
    noValue: NOT_CHOSEN,
  }),
];

export const scrapeHealth = createDashboard({
  uid: 'scrape-health',
  title: 'Scrape health',
  description:
    'Can the other dashboards be trusted: are all targets scraped in time, and does the number of series stay stable?',
  choose: { metric: 'up', labels: ['job', 'instance'] },
  from: 'now-15m',
  rows: [
    { title: 'Targets', panels: targets },
    { title: 'Scrapes', panels: scrapes },
    { title: 'Series', panels: database },
    { title: 'Rules and notifications', panels: rules },
  ],
});
