// The numbers of prometheus/rules/ that panels draw as limits. The rules are the truth; a test keeps the two equal.

/** A response that takes longer than this burns the latency budget; also an edge of the API's histogram. */
export const LATENCY_OBJECTIVE_SECONDS = 0.25;

/** Share of requests that must be good over 30 days. */
export const OBJECTIVES = { availability: 0.999, latency: 0.99 } as const;

/**
 * An alert fires when both windows burn faster than `factor` times what the budget allows. Site Reliability Workbook,
 * chapter 5, "6: Multiwindow, Multi-Burn-Rate Alerts": https://sre.google/workbook/alerting-on-slos/
 */
export const BURN_RATES = [
  { longWindow: '3d', shortWindow: '6h', factor: 1, severity: 'ticket' },
  { longWindow: '1d', shortWindow: '2h', factor: 3, severity: 'ticket' },
  { longWindow: '6h', shortWindow: '30m', factor: 6, severity: 'page' },
  { longWindow: '1h', shortWindow: '5m', factor: 14.4, severity: 'page' },
] as const;

/** Share of the time that turns of the event loop are late: above this, EventLoopBlocked fires. */
export const EVENT_LOOP_LATE_LIMIT = 0.2;

/** `scrape_timeout` of prometheus.yml: a scrape that takes longer fails. */
export const SCRAPE_TIMEOUT_SECONDS = 4;

/** `mem_limit` of the API in docker-compose.yml: a process that wants more is killed. */
export const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;
