// Writes each dashboard to grafana/dashboards/<uid>.json: `npm run generate --workspace grafana`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dashboards, toJson } from './dashboards.ts';

const folder = new URL('../dashboards/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const dashboard of dashboards) {
  writeFileSync(new URL(`${dashboard.uid}.json`, folder), toJson(dashboard));
}
