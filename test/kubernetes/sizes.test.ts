/** The sizes of the API and of Prometheus in docs/kubernetes.md, computed from the manifests, the scrape interval and measurements. */
import { expect, it } from '@jest/globals';
import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { parse } from 'yaml';
import { read } from '../support/repository.ts';
import { type Folder, only, whereKubectlIs, workload } from './rendered.ts';

const rowsOf = (path: string, first: RegExp) =>
  [...read(path).matchAll(/^\| (.+) \|$/gm)]
    .map(([, row = '']) => row.split('|').map((cell) => cell.trim()))
    .filter(([name = '']) => first.test(name));
const toNumber = (text = '') => Number(text.replaceAll(',', ''));
/** The number in the first group of `find`, in docs/kubernetes.md, whose lines may end anywhere. */
const stated = (find: RegExp) => toNumber(find.exec(read('docs/kubernetes.md').replaceAll('\n', ' '))?.[1]);

const fits = new Map(
  rowsOf('docs/scaling.md', /^\d+ GiB$/).map(([memory, series]) => [memory, toNumber(series)]),
);
const scrapeInterval = Number.parseInt(parse(read('prometheus/prometheus.yml')).global.scrape_interval, 10);

/** Memory, retention and claim of a folder's Prometheus. */
function sizeOf(folder: Folder) {
  const { container } = workload(folder, 'prometheus');
  const { spec } = only<IStatefulSet>(folder, 'StatefulSet', 'prometheus');
  const flags = Object.fromEntries(container.args?.map((flag) => flag.split('=')) ?? []) as Record<
    string,
    string
  >;
  return {
    memory: String(container.resources?.limits?.memory),
    retention: flags['--storage.tsdb.retention.size'] ?? '',
    days: Number.parseInt(flags['--storage.tsdb.retention.time'] ?? '', 10),
    claim: String(spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.storage),
  };
}
/** Also Prometheus' GB, which is 1,024 MB of 1,024 kB. */
const GIB = 2 ** 30;
/** 16Gi and 12GB as in the table: 16 GiB and 12 GiB. */
const inTable = (amount: string) => `${Number.parseInt(amount, 10)} GiB`;

/** The series whose samples the retention holds until they are too old, rounded down to two digits. */
function seriesOf({ retention, days }: ReturnType<typeof sizeOf>): number {
  const samples = (Number.parseInt(retention, 10) * GIB) / stated(/at up to (\d) bytes each/);
  const series = (samples / (days * 86_400)) * scrapeInterval;
  const unit = 10 ** (Math.floor(Math.log10(series)) - 1);
  return Math.floor(series / unit) * unit;
}

whereKubectlIs('a pod of the API', () => {
  it('handles as many requests per second as the guide says, before the autoscaler adds another', () => {
    const [target] =
      only<IHorizontalPodAutoscaler>('base', 'HorizontalPodAutoscaler', 'api').spec?.metrics ?? [];
    const { cpu } = workload('base', 'api').container.resources?.requests ?? {};
    const busyMicros =
      Number.parseInt(String(cpu), 10) * 10 * (target?.resource?.target.averageUtilization ?? Number.NaN);
    const [[, , , , requestMicros] = []] = rowsOf('tools/bench/results/cluster-workers.md', /^1$/);
    const perSecond = Math.floor(busyMicros / toNumber(requestMicros) / 10) * 10;
    expect(stated(/about (\d+) requests to/)).toBe(perSecond);
  });
});

whereKubectlIs('a size of Prometheus', () => {
  // Overlays that use the components.
  const FOLDERS = ['base', 'overlays/production', 'overlays/remote-write'] as const;

  it('is in the table as in the manifests, with the series for which its retention suffices', () => {
    const names = ['`base`', '`components/medium`', '`components/large`'];
    const expected = FOLDERS.map((folder, n) => {
      const size = sizeOf(folder);
      const series = seriesOf(size).toLocaleString('en-US');
      return [names[n], series, ...[size.memory, size.retention, size.claim].map(inTable)];
    });
    expect(rowsOf('docs/kubernetes.md', /^`(base|components\/\w+)`$/)).toEqual(expected);
  });

  it.each(FOLDERS)(
    '%s has memory for twice its series, and 80 %% of the claim hold its retention',
    (folder) => {
      const size = sizeOf(folder);
      expect(fits.get(inTable(size.memory))).toBeGreaterThanOrEqual(2 * seriesOf(size));
      const claimBytes = Number.parseInt(size.claim, 10) * GIB;
      expect(Number.parseInt(size.retention, 10) * GIB).toBeLessThanOrEqual(0.8 * claimBytes);
    },
  );

  it.each(FOLDERS)('%s suffices for as many pods as its autoscaler allows', (folder) => {
    const { spec } = only<IHorizontalPodAutoscaler>(folder, 'HorizontalPodAutoscaler', 'api');
    const ofPod = stated(/A pod of the API has (\d+) series/);
    const ofOthers = stated(/Prometheus itself and the rules have ([\d,]+)/);
    expect((spec?.maxReplicas ?? Number.NaN) * ofPod + ofOthers).toBeLessThanOrEqual(
      seriesOf(sizeOf(folder)),
    );
  });

  it('is as large in the trial overlay, whose volume is limited', () => {
    const volumes = workload('overlays/ephemeral', 'prometheus').pod.volumes;
    expect(volumes?.find(({ name }) => name === 'data')?.emptyDir?.sizeLimit).toBe(sizeOf('base').claim);
  });
});
