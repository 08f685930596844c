/**
 * All dashboards. Models: Grafana's RED dashboards
 * (https://grafana.com/blog/2018/08/02/the-red-method-how-to-instrument-your-services/), kubernetes-mixin
 * (https://github.com/kubernetes-monitoring/kubernetes-mixin): budgets first, a runbook section per alert; Node Exporter Full
 * (https://grafana.com/grafana/dashboards/1860-node-exporter-full/): use as a share of its limit.
 */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { apiOverview } from './api-overview.ts';
import { nodeRuntime } from './node-runtime.ts';
import { operations } from './operations.ts';
import { route } from './route.ts';
import { runbookDashboard } from './runbook.ts';
import { scrapeHealth } from './scrape-health.ts';
import { slos } from './slos.ts';

/** Every dashboard of the stack, in the order in which an on-call engineer needs them. */
export const dashboards: readonly Dashboard[] = [
  apiOverview,
  operations,
  slos,
  route,
  nodeRuntime,
  scrapeHealth,
  runbookDashboard(),
];

/** The content of the file that Grafana provisions. */
export function toJson(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
