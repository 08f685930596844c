/** The committed files that are generated from other files. A test fails if one of them is out of date. */
import { readdirSync, readFileSync } from 'node:fs';
import { dashboards, toJson } from '../../grafana/src/dashboards.ts';
import { page } from '../conformance/page.ts';
import { filesWithAddress } from './address.ts';
import { describeLicences, readDependencies } from './licences.ts';
import { toPrometheusRule } from './prometheus-rule.ts';
import { toSvg } from './terminal.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
/** The texts of a folder's files with one extension, by path. */
const readAll = (folder: string, ending: string) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => [folder + name, read(folder + name)] as const);

/** Texts by path from the repository's root. */
export function generatedFiles(): Record<string, string> {
  const [, interval] = /scrape_interval: (\S+)/.exec(read('prometheus/prometheus.yml')) ?? [];
  const datasources = 'grafana/provisioning/datasources/prometheus.yml';
  const addressed = filesWithAddress();
  const rules = readAll('prometheus/rules/', '.yml').map(([path, text]) => addressed[path] ?? text);
  return {
    ...addressed,
    ...Object.fromEntries(
      dashboards.map((dashboard) => [`grafana/dashboards/${dashboard.uid}.json`, toJson(dashboard)]),
    ),
    // A file that contains a number from another file.
    [datasources]: read(datasources).replace(/timeInterval: \S+/, `timeInterval: ${interval}`),
    'kubernetes/overlays/operator/prometheus-rule.yaml': toPrometheusRule(rules),
    'docs/who-counts-right.md': page(JSON.parse(read('tools/conformance/results/results.json'))),
    'docs/licences.md': describeLicences(readDependencies(JSON.parse(read('package-lock.json')))),
    ...Object.fromEntries(
      readAll('docs/pictures/', '.txt').map(([path, text]) => [path.replace(/txt$/, 'svg'), toSvg(text)]),
    ),
  };
}
