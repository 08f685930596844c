// The numbers of prometheus/ and docker-compose.yml that panels draw as limits, read from there.
import { readFileSync } from 'node:fs';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** The number that `pattern` finds in a file of the repository. @throws where it finds none */
function find(path: string, pattern: RegExp): number {
  const [, number] = pattern.exec(read(path)) ?? [];
  if (number === undefined) throw new Error(`${path}: expected ${pattern}`);
  return Number(number);
}

const SLO_RULES = 'prometheus/rules/slo.yml';

/** A response that takes longer than this burns the latency budget; also an edge of the API's histogram. */
export const LATENCY_OBJECTIVE_SECONDS = find(SLO_RULES, /le="([\d.]+)"/);

export type Slo = 'availability' | 'latency';

/** Share of requests that must be good over 30 days. */
const objective = (slo: Slo) =>
  find(SLO_RULES, new RegExp(`expr: vector\\(([\\d.]+)\\)\n +labels: { slo: ${slo} }`));
export const OBJECTIVES = { availability: objective('availability'), latency: objective('latency') };
/** The rest, as texts say it: `0.1 %`. */
const budget = (slo: Slo) => `${Number((100 - OBJECTIVES[slo] * 100).toFixed(3))} %`;
export const BUDGETS = { availability: budget('availability'), latency: budget('latency') };

/**
 * An alert fires when both windows burn faster than `factor` times what the budget allows. Site Reliability Workbook,
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

/** Share of the time that turns of the event loop are late: above this, EventLoopBlocked fires. */
export const EVENT_LOOP_LATE_LIMIT = find(
  'prometheus/rules/alerts.yml',
  /rate\(nodejs_eventloop_late_seconds_total\[2m\]\) > ([\d.]+)/,
);

/** A scrape that takes longer fails. */
export const SCRAPE_TIMEOUT_SECONDS = find('prometheus/prometheus.yml', /scrape_timeout: (\d+)s/);

/** Of each group of rules. */
export const RULES_INTERVAL_SECONDS = find('prometheus/prometheus.yml', /evaluation_interval: (\d+)s/);

/** Of the API, in MiB: a process that needs more is killed. */
export const MEMORY_LIMIT_MEBIBYTES = find('docker-compose.yml', /\n {2}api:\n.*?mem_limit: (\d+)m\n/s);
