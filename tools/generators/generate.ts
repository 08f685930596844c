/** Writes the committed files that are made of other files: `make generate`. Tests fail when one of them is out of date. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dashboards, toJson } from '../../grafana/src/dashboards.ts';
import { describeLicences, readDependencies } from './licences.ts';
import { toPrometheusRule } from './prometheus-rule.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const write = (path: string, text: string) => writeFileSync(new URL(path, root), text);

for (const dashboard of dashboards) {
  write(`grafana/dashboards/${dashboard.uid}.json`, toJson(dashboard));
}
const rules = readdirSync(new URL('prometheus/rules/', root)).filter((name) => name.endsWith('.yml'));
write(
  'kubernetes/overlays/operator/prometheus-rule.yaml',
  toPrometheusRule(rules.sort().map((name) => read(`prometheus/rules/${name}`))),
);
write('docs/licences.md', describeLicences(readDependencies(JSON.parse(read('package-lock.json')))));
