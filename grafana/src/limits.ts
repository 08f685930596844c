// The numbers of prometheus/ and docker-compose.yml that panels draw as limits, read from there.
import { readFileSync } from 'node:fs';

/** The groups of every match of `pattern` in a file of the repository. @throws where there is none */
function find(path: string, pattern: RegExp): [string, ...string[]][] {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const found = [...text.matchAll(pattern)].map(([, first = '', ...others]): [string, ...string[]] => [
    first,
    ...others,
  ]);
  if (found.length === 0) throw new Error(`${path}: expected ${pattern}`);
  return found;
}

const findNumber = (path: string, pattern: RegExp) => Number(find(path, pattern)[0]?.[0]);

const SLO_RULES = 'prometheus/rules/slo.yml';

/** A response that takes longer than this burns the latency budget; also an edge of the API's histogram. */
export const LATENCY_OBJECTIVE_SECONDS = findNumber(SLO_RULES, /le="([\d.]+)"/g);

export type Slo = 'availability' | 'latency';

/** Share of requests that must be good over 30 days. */
const objective = (slo: Slo) =>
  findNumber(SLO_RULES, new RegExp(`expr: vector\\(([\\d.]+)\\)\n +labels: { slo: ${slo} }`, 'g'));
export const OBJECTIVES = { availability: objective('availability'), latency: objective('latency') };
/** The rest, as texts say it: `0.1 %`. */
const budget = (slo: Slo) => `${Number((100 - OBJECTIVES[slo] * 100).toFixed(3))} %`;
export const BUDGETS = { availability: budget('availability'), latency: budget('latency') };

/**
 * An alert fires when both windows burn faster than `factor` times what the budget allows. Site Reliability Workbook,
 * chapter 5, "6: Multiwindow, Multi-Burn-Rate Alerts": https://sre.google/workbook/alerting-on-slos/
 */
export const BURN_RATES = find(
  SLO_RULES,
  /{window="(\w+)"} > ([\d.]+)\n.*{window="(\w+)"} > \2\n.*\n +labels: { severity: (\w+), window: \1 }/g,
)
  .map(([longWindow, factor, shortWindow = '', severity]) => ({
    longWindow,
    shortWindow,
    factor: Number(factor),
    severity,
  }))
  .reverse();

/** Share of the time that turns of the event loop are late: above this, EventLoopBlocked fires. */
export const EVENT_LOOP_LATE_LIMIT = findNumber(
  'prometheus/rules/alerts.yml',
  /rate\(nodejs_eventloop_late_seconds_total\[2m\]\) > ([\d.]+)/g,
);

/** A scrape that takes longer fails. */
export const SCRAPE_TIMEOUT_SECONDS = findNumber('prometheus/prometheus.yml', /scrape_timeout: (\d+)s/g);

/** Of each group of rules. */
export const RULES_INTERVAL_SECONDS = findNumber('prometheus/prometheus.yml', /evaluation_interval: (\d+)s/g);

/** Of the API, in MiB: a process that needs more is killed. */
export const MEMORY_LIMIT_MEBIBYTES = findNumber(
  'docker-compose.yml',
  /\n {2}api:\n.*?mem_limit: (\d+)m\n/gs,
);
