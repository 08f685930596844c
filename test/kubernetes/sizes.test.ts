/** The sizes of Prometheus in docs/kubernetes.md, with its arithmetic, and the measured memory in docs/scaling.md. */
import { expect, it } from '@jest/globals';
import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import { parse } from 'yaml';
import { read } from '../support/repository.ts';
import { only, whereKubectlIs, workload } from './rendered.ts';

const rowsOf = (path: string, first: RegExp) =>
  [...read(path).matchAll(/^\| (.+) \|$/gm)]
    .map(([, row = '']) => row.split('|').map((cell) => cell.trim().replaceAll(',', '')))
    .filter(([name = '']) => first.test(name));
const sizes = rowsOf('docs/kubernetes.md', /^`(base|components\/\w+)`$/);
const fits = new Map(
  rowsOf('docs/scaling.md', /^\d+ GiB$/).map(([memory, series]) => [memory, Number(series)]),
);

whereKubectlIs('a size of Prometheus', () => {
  // Overlays that use the components.
  it.each(['base', 'overlays/production', 'overlays/remote-write'] as const)(
    '%s has the memory, retention and claim of the table, which suffice for its series',
    (folder) => {
      const n = ['base', 'overlays/production', 'overlays/remote-write'].indexOf(folder);
      const [, series, memory, retention, claim] = sizes[n] ?? [];
      const { container } = workload(folder, 'prometheus');
      const { spec } = only<IStatefulSet>(folder, 'StatefulSet', 'prometheus');
      const storage = spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.storage;
      const inTable = (amount: unknown) => String(amount).replace(/(\d)(G)/, '$1 $2');
      expect(`${inTable(container.resources?.limits?.memory)}B`).toBe(memory);
      expect(`${inTable(storage)}B`).toBe(claim);
      const flags = container.args?.map((flag) => flag.split('='));
      const { '--storage.tsdb.retention.size': size, '--storage.tsdb.retention.time': time = '' } =
        Object.fromEntries(flags ?? []) as Record<string, string>;
      expect(inTable(size)).toBe(retention);

      // A rollout doubles the series.
      expect(fits.get(memory)).toBeGreaterThanOrEqual(2 * Number(series));
      const interval = Number.parseInt(parse(read('prometheus/prometheus.yml')).global.scrape_interval, 10);
      const samples = (Number(series) / interval) * Number.parseInt(time, 10) * 86_400;
      const bytes = Number.parseInt(retention ?? '', 10) * 1e9;
      expect(bytes).toBeGreaterThan(1.4 * samples);
      expect(bytes).toBeLessThan(2 * samples);
      expect(bytes).toBeLessThan(0.8 * Number.parseInt(claim ?? '', 10) * 2 ** 30);
    },
  );
});
