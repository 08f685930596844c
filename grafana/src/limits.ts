// The limits that panels draw, read from prometheus/ and docker-compose.yml.
import { readFileSync } from 'node:fs';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Returns the number that `pattern` captures in a file of the repository. @throws if nothing matches */
function find(path: string, pattern: RegExp): number {
  const [, number] = pattern.exec(read(path)) ?? [];
  if (number === undefined) throw new Error(`${path}: expected a match of ${pattern}`);
  return Number(number);
}

const SLO_RULES = 'prometheus/rules/slo.yml';

/** Slower responses burn the latency budget. Also a bucket boundary of the API's histogram. */
export const LATENCY_OBJECTIVE_SECONDS = find(SLO_RULES, /le="([\d.]+)"/);

export type Slo = 'availability' | 'latency';

/** Required share of good requests over 30 days. */
const objective = (slo: Slo) =>
  find(SLO_RULES, new RegExp(`expr: vector\\(([\\d.]+)\\)\n +labels: { slo: ${slo} }`));
export const OBJECTIVES = { availability: objective('availability'), latency: objective('latency') };
/** The error budget as text: `0.1 %`. */
const budget = (slo: Slo) => `${Number((100 - OBJECTIVES[slo] * 100).toFixed(3))} %`;
export const BUDGETS = { availability: budget('availability'), latency: budget('latency') };

/**
 * An alert fires when the burn rates of both windows exceed `factor`. Site Reliability Workbook,
 * chapter 5, "6: Multiwindow, Multi-Burn-Rate Alerts": https://sre.google/workbook/alerting-on-slos/
 */
export const BURN_RATES = [
  ...read(SLO_RULES).matchAll(
    /{window="(\w+)"} > ([\d.]+)\n.*{window="(\w+)"} > \2\n.*\n +labels: { severity: (\w+), window: \1 }/g,
  ),
]
  .map(([, longWindow, factor, shortWindow, severity]) => ({
    longWindow,
    shortWindow,
    factor: Number(factor),
    severity,
  }))
  .reverse();

/** Event loop lag as a share of time. EventLoopBlocked fires above this limit. */
export const EVENT_LOOP_LATE_LIMIT = find(
  'prometheus/rules/alerts.yml',
  /rate\(nodejs_eventloop_late_seconds_total\[2m\]\) > ([\d.]+)/,
);

/** Slower scrapes fail. */
export const SCRAPE_TIMEOUT_SECONDS = find('prometheus/prometheus.yml', /scrape_timeout: (\d+)s/);

/** How often each rule group is evaluated. */
export const RULES_INTERVAL_SECONDS = find('prometheus/prometheus.yml', /evaluation_interval: (\d+)s/);

/** Memory limit of an API container in MiB; the kernel kills a process that exceeds it. */
export const MEMORY_LIMIT_MEBIBYTES = find('docker-compose.yml', /\n {2}api:\n.*?mem_limit: (\d+)m\n/s);
