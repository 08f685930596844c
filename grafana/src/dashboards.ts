import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { apiOverview } from './api-overview.ts';

/** Every dashboard of the stack. */
export const dashboards: readonly Dashboard[] = [apiOverview];

/** The file that Grafana provisions. */
export function toJson(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
