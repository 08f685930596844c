// Whether the monitoring itself can be trusted: are targets scraped, do they stay small, are rules evaluated?
import { createDashboard } from './dashboard.ts';
import { SCRAPE_TIMEOUT_SECONDS } from './limits.ts';
import { lines, stat, states } from './panels.ts';

const target = 'job=~"$job", instance=~"$instance"';

const targets = [
  stat({
    title: 'Targets up',
    description: 'Targets whose last scrape succeeded: one for each replica of the API, and Prometheus.',
    width: 6,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `sum(up{${target}})`, legend: 'up' }],
    noValue: 'No target is known',
  }),
  stat({
    title: 'Targets down',
    description: 'Targets whose last scrape failed: not reachable, too slow, or more samples than allowed.',
    width: 6,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `count(up{${target}} == 0) or vector(0)`, legend: 'down' }],
    thresholds: [
      ['green', null],
      ['red', 1],
    ],
  }),
  stat({
    title: 'Series in memory',
    description: 'Series that Prometheus holds in its head block, of all targets and rules.',
    width: 6,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `sum(prometheus_tsdb_head_series{${target}})`, legend: 'series' }],
    noValue: 'Prometheus is not chosen',
  }),
  stat({
    title: 'Rules failed',
    description:
      'Rule evaluations that failed in this time range. What they record or watch is missing there.',
    width: 6,
    unit: 'none',
    decimals: 0,
    queries: [
      {
        expr: `sum(increase(prometheus_rule_evaluation_failures_total{${target}}[$__range]))`,
        legend: 'failures',
      },
    ],
    thresholds: [
      ['green', null],
      ['red', 1],
    ],
    noValue: 'Prometheus is not chosen',
  }),
  states({
    title: 'Up and down of each target',
    description:
      'Green: the scrape succeeded. Red: it failed. A gap: the target was not known, because its name had no address.',
    width: 24,
    height: 7,
    unit: 'none',
    queries: [{ expr: `up{${target}}`, legend: '{{job}} {{instance}}' }],
    words: { 0: { text: 'down', color: 'red' }, 1: { text: 'up', color: 'green' } },
    noValue: 'No target is known',
  }),
];

const scrapes = [
  lines({
    title: 'Scrape duration',
    description: `How long each target takes to answer. A scrape of more than ${SCRAPE_TIMEOUT_SECONDS} s fails.`,
    width: 12,
    height: 9,
    unit: 's',
    queries: [{ expr: `scrape_duration_seconds{${target}}`, legend: '{{job}} {{instance}}' }],
    thresholds: [
      ['green', null],
      ['red', SCRAPE_TIMEOUT_SECONDS],
    ],
    limit: true,
  }),
  lines({
    title: 'Samples per scrape',
    description:
      'Series that each target exposes. The API has a fixed set: a line that climbs is a label gone wild.',
    width: 12,
    height: 9,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `scrape_samples_post_metric_relabeling{${target}}`, legend: '{{job}} {{instance}}' }],
  }),
];

const database = [
  lines({
    title: 'Series in memory over time',
    description: 'Steps are new targets and rules. A slope is churn: labels whose values come and go.',
    width: 12,
    height: 9,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `prometheus_tsdb_head_series{${target}}`, legend: '{{instance}}' }],
    noValue: 'Prometheus is not chosen',
  }),
  lines({
    title: 'New series by target',
    description: 'Series that a scrape returned for the first time: all of them after a start, then none.',
    width: 12,
    height: 9,
    unit: 'none',
    decimals: 0,
    queries: [
      {
        expr: `sum_over_time(scrape_series_added{${target}}[$__rate_interval])`,
        legend: '{{job}} {{instance}}',
      },
    ],
  }),
];

const rules = [
  lines({
    title: 'Rule evaluation time by group',
    description:
      'Time of the last evaluation. A group that needs longer than its interval misses evaluations.',
    width: 12,
    height: 9,
    unit: 's',
    queries: [
      {
        expr: `label_replace(prometheus_rule_group_last_duration_seconds{${target}}, "group", "$1", "rule_group", ".+;(.+)")`,
        legend: '{{group}}',
      },
    ],
    noValue: 'Prometheus is not chosen',
  }),
  lines({
    title: 'What Prometheus lost',
    description:
      'Failed rule evaluations, rejected scrapes and samples, failed notifications, per second. All are 0 in health.',
    width: 12,
    height: 9,
    unit: 'none',
    decimals: 2,
    queries: [
      ['rules', 'prometheus_rule_evaluation_failures_total'],
      ['too many samples', 'prometheus_target_scrapes_exceeded_sample_limit_total'],
      ['duplicate samples', 'prometheus_target_scrapes_sample_duplicate_timestamp_total'],
      ['samples out of order', 'prometheus_target_scrapes_sample_out_of_order_total'],
      ['samples out of bounds', 'prometheus_target_scrapes_sample_out_of_bounds_total'],
      ['notifications', 'prometheus_notifications_errors_total'],
    ].map(([legend = '', metric]) => ({ legend, expr: `sum(rate(${metric}{${target}}[$__rate_interval]))` })),
    noValue: 'Prometheus is not chosen',
  }),
];

export const scrapeHealth = createDashboard({
  uid: 'scrape-health',
  title: 'Scrape health',
  description: 'Can the other dashboards be trusted: are all targets scraped, in time, and without growing?',
  metric: 'up',
  variables: ['job', 'instance'],
  rows: [
    { title: 'Targets', panels: targets },
    { title: 'Scrapes', panels: scrapes },
    { title: 'Series', panels: database },
    { title: 'Rules and notifications', panels: rules },
  ],
});
