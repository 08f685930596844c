/**
 * Checks that the rules agree with other files: the API's buckets and settings, the promtool tests, the runbook and the limits on
 * the dashboards. Promtool tests the results of the rules (prometheus/tests).
 */
import { describe, expect, it } from '@jest/globals';
import { DURATION_BUCKETS_SECONDS } from 'express-exact-metrics';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../../app/src/config.ts';
import { BUDGETS, BURN_RATES, LATENCY_OBJECTIVE_SECONDS, OBJECTIVES } from '../../grafana/src/limits.ts';
import { parsePromql } from '../../grafana/src/promql.ts';
import { address } from '../../tools/generators/address.ts';
import { composeWords, defaults, namesIn, read } from '../support/repository.ts';

const Labels = z.record(z.string(), z.string());
const Recording = z.strictObject({ record: z.string(), expr: z.string(), labels: Labels.optional() });
const Alert = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: Labels,
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
});
const Rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      interval: z.string().optional(),
      rules: z.array(z.union([Recording, Alert])),
    }),
  ),
});
interface PromtoolTests {
  tests: {
    promql_expr_test?: { expr: string; exp_samples?: unknown[] }[];
    alert_rule_test?: { alertname: string; exp_alerts?: { exp_labels: Record<string, string> }[] }[];
  }[];
}

const readYamls = (folder: string) =>
  namesIn(`prometheus/${folder}`).map((file) => parse(read(`prometheus/${folder}/${file}`), { merge: true }));

const { global } = parse(read('prometheus/prometheus.yml'));
const groups = readYamls('rules').flatMap((file) => Rules.parse(file).groups);
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter((rule) => 'alert' in rule);
const recordings = rules.filter((rule) => 'record' in rule);
const promtoolTests = readYamls('tests').flatMap((file) => (file as PromtoolTests).tests);
const expressionTests = promtoolTests.flatMap((test) => test.promql_expr_test ?? []);
const alertTests = promtoolTests.flatMap((test) => test.alert_rule_test ?? []);
const runbook = read('docs/runbook.md');

const SECONDS = { s: 1, m: 60, h: 3600, d: 86400 };
function toSeconds(duration: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  return Number(amount) * SECONDS[unit as keyof typeof SECONDS];
}

it('evaluates each group again before its recorded values become stale', () => {
  const [, lookback = ''] = /--query\.lookback-delta=(\w+)/.exec(composeWords('prometheus').join(' ')) ?? [];
  expect(toSeconds(lookback)).toBeGreaterThan(0);
  for (const { interval = global.evaluation_interval } of groups)
    expect(toSeconds(interval)).toBeLessThan(toSeconds(lookback));
});

it('every aggregation keeps the label `cluster`', () => {
  const lists = rules.flatMap(({ expr }) => [...expr.matchAll(/\b(?:by|on) \((.*?)\)/g)]);
  expect(lists.length).toBeGreaterThan(20);
  for (const [operator, labels] of lists)
    if (labels !== 'slo' && labels !== '') expect(operator).toMatch(/\(cluster, job/);
});

describe.each(
  alerts.map((alert) => [`${alert.alert} (${Object.values(alert.labels).join(', ')})`, alert] as const),
)('%s', (_name, { alert, labels, annotations, expr }) => {
  it('has a severity that Alertmanager routes, and a description that includes the value', () => {
    expect(['page', 'ticket', 'info']).toContain(labels.severity);
    // Alerts about absent series have no value, only a duration.
    expect(annotations.description).toMatch(
      expr.startsWith('absent(') ? /for (a|half a) minute/i : /\$value|value \}\}/,
    );
  });

  it('links to a section of the runbook with meaning, diagnosis and mitigation', () => {
    expect(annotations.runbook_url).toBe(`${address}/blob/main/docs/runbook.md#${alert.toLowerCase()}`);
    const section = runbook.split(/^## /m).find((text) => text.startsWith(`${alert}\n`));
    expect(section).toMatch(/\*\*Meaning\.\*\* .+\*\*Diagnosis\.\*\* .+\*\*Mitigation\.\*\* /s);
  });

  it('has one promtool test in which it fires and one in which it stays silent', () => {
    const own = alertTests.filter(({ alertname }) => alertname === alert);
    expect(own.flatMap(({ exp_alerts }) => exp_alerts ?? []).map((fired) => fired.exp_labels)).toContainEqual(
      expect.objectContaining(labels),
    );
    expect(own.filter(({ exp_alerts }) => exp_alerts === undefined)).not.toEqual([]);
  });
});

describe.each([...new Set(recordings.map(({ record }) => record))])('%s', (record) => {
  it('is named level:metric:operations, and a promtool test checks its value', () => {
    expect(record).toMatch(/^[a-z_]+:[a-z0-9_]+:[a-z0-9_]+$/);
    const valued = expressionTests.filter(({ exp_samples }) => exp_samples !== undefined);
    expect(valued.flatMap(({ expr }) => parsePromql(expr).map(({ metric }) => metric))).toContain(record);
  });
});

it('uses windows of at least four scrape intervals, and a timeout shorter than the scrape interval', () => {
  expect(toSeconds(global.scrape_timeout)).toBeLessThan(toSeconds(global.scrape_interval));
  const ranges = rules.flatMap(({ expr }) => parsePromql(expr).flatMap(({ range }) => range ?? []));
  expect(ranges.length).toBeGreaterThan(0);
  expect(ranges.filter((range) => toSeconds(range) < 4 * toSeconds(global.scrape_interval))).toEqual([]);
});

it('lets the API wait two scrape intervals for its last scrape', () => {
  const twoIntervalsMs = 2000 * toSeconds(global.scrape_interval);
  expect(parseConfig({}).SHUTDOWN_SCRAPE_WAIT_MS).toBe(twoIntervalsMs);
  expect(defaults.SHUTDOWN_SCRAPE_WAIT_MS).toBe(String(twoIntervalsMs));
});

it('measures the latency objective at a bucket boundary of the API', () => {
  const edges = recordings.flatMap(({ expr }) =>
    parsePromql(expr).flatMap(({ matchers }) => matchers.filter(({ label }) => label === 'le')),
  );
  expect(new Set(edges.map(({ value }) => Number(value)))).toEqual(new Set([LATENCY_OBJECTIVE_SECONDS]));
  expect(DURATION_BUCKETS_SECONDS).toContain(LATENCY_OBJECTIVE_SECONDS);
});

it('defines the objectives, burn rate alerts and windows that the dashboards show', () => {
  const objectives = recordings.filter(({ record }) => record === 'slo:objective:ratio');
  expect(objectives.map(({ labels }) => labels?.slo)).toEqual(Object.keys(OBJECTIVES));
  const burn = alerts.filter(({ alert }) => alert === 'ErrorBudgetBurn');
  expect(burn.map(({ labels }) => labels.window)).toEqual(
    BURN_RATES.map(({ longWindow }) => longWindow).reverse(),
  );
  for (const { expr } of burn) expect(expr).toContain('job_slo:failures:increase6h >= 10');
  const windows = recordings.flatMap(({ labels }) => labels?.window ?? []);
  expect(new Set(windows)).toEqual(
    new Set(BURN_RATES.flatMap((rate) => [rate.longWindow, rate.shortWindow])),
  );
});

it('has the same objectives, windows and factors as the runbook', () => {
  for (const { longWindow, shortWindow, factor, severity } of BURN_RATES) {
    const speed = factor === 1 ? 'faster than allowed' : `${factor} times too fast`;
    expect(runbook).toMatch(
      new RegExp(`\\| ${longWindow} \\| ${shortWindow} \\| ${speed}.* \\| ${severity} \\|`),
    );
  }
  expect(runbook).toContain(`more than ${LATENCY_OBJECTIVE_SECONDS * 1000} ms`);
  expect(runbook).toContain(`${BUDGETS.availability} of requests may fail`);
  expect(runbook).toContain(`${BUDGETS.latency} may be slow`);
});
