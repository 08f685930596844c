/** One truth: what pods mount is what compose mounts, byte for byte, at the same places and with the same flags. */
import { readdirSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import type { IConfigMap, IVolume } from 'kubernetes-models/v1';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  configMap,
  containerOf,
  defaults,
  ofKind,
  read,
  repositoryRoot,
  whereKubectlIs,
  workload,
} from './rendered.ts';

const Compose = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      command: z.array(z.string()).optional(),
      user: z.string().optional(),
      mem_limit: z.string(),
      volumes: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
const { services } = Compose.parse(parse(read('docker-compose.yml'), { merge: true }));

/** What a pod finds: the path in its container, and the text of the file there. */
function filesOf(name: string): Map<string, string> {
  const { pod } = workload('base', name);
  const container = containerOf(workload('base', name));
  return new Map(
    (container.volumeMounts ?? []).flatMap(({ name: volumeName, mountPath, subPath }) => {
      const volume = pod.volumes?.find((candidate) => candidate.name === volumeName);
      return filesIn(volume)
        .filter(([path]) => subPath === undefined || path === subPath)
        .map(([path, text]): [string, string] => [
          subPath === undefined ? `${mountPath}/${path}` : mountPath,
          text,
        ]);
    }),
  );
}

function filesIn(volume: IVolume | undefined): [string, string][] {
  const sources = volume?.projected?.sources ?? (volume?.configMap ? [{ configMap: volume.configMap }] : []);
  return sources.flatMap(({ configMap: source }) => {
    const { data = {} } = ofKind<IConfigMap>('base', 'ConfigMap').find(
      ({ metadata }) => metadata?.name === source?.name,
    ) as IConfigMap;
    const items = source?.items ?? Object.keys(data).map((key) => ({ key, path: key }));
    return items.map(({ key, path }): [string, string] => [path, data[key] ?? `no key ${key}`]);
  });
}

/** The files of a folder of the repository whose names match, as they lie under `to` in a container. */
function repositoryFiles(folder: string, to: string, form: RegExp): [string, string][] {
  return readdirSync(new URL(folder, repositoryRoot))
    .filter((name) => form.test(name))
    .map((name) => [`${to}/${name}`, read(`${folder}/${name}`)]);
}

const sorted = (files: Iterable<[string, string]>) => [...files].sort(([a], [b]) => (a < b ? -1 : 1));

whereKubectlIs('configuration', () => {
  it('Prometheus finds every file of the repository where compose puts it', () => {
    expect(services.prometheus?.volumes).toContain('./prometheus:/etc/prometheus:ro');
    expect(sorted(filesOf('prometheus'))).toEqual(
      sorted([
        ['/etc/prometheus/prometheus.yml', read('prometheus/prometheus.yml')],
        ...repositoryFiles('prometheus/rules', '/etc/prometheus/rules', /\.yml$/),
        ...repositoryFiles('prometheus/targets', '/etc/prometheus/targets', /\.yml$/),
        ...repositoryFiles('prometheus/alertmanagers', '/etc/prometheus/alertmanagers', /\.yml$/),
        ...repositoryFiles('prometheus/consoles', '/etc/prometheus/consoles', /./),
        ...repositoryFiles('prometheus/console_libraries', '/etc/prometheus/console_libraries', /./),
      ]),
    );
  });

  it('Prometheus runs with the flags of compose', () => {
    expect(containerOf(workload('base', 'prometheus')).args).toEqual(services.prometheus?.command);
  });

  it('Grafana finds every file of the repository where compose puts it', () => {
    const provisioning = '/etc/grafana/provisioning';
    for (const to of [
      `${provisioning}/datasources`,
      `${provisioning}/dashboards`,
      '/var/lib/grafana/dashboards',
    ])
      expect(services.grafana?.volumes?.filter((volume) => volume.endsWith(`:${to}:ro`))).toHaveLength(1);
    expect(sorted(filesOf('grafana'))).toEqual(
      sorted([
        ['/etc/grafana/grafana.ini', read('grafana/grafana.ini')],
        ...repositoryFiles('grafana/provisioning/datasources', `${provisioning}/datasources`, /./),
        ...repositoryFiles('grafana/provisioning/dashboards', `${provisioning}/dashboards`, /./),
        ...repositoryFiles('grafana/dashboards', '/var/lib/grafana/dashboards', /\.json$/),
      ]),
    );
  });

  it('the API gets the settings of compose, but shows its metrics to Prometheus alone', () => {
    const { data = {} } = configMap('base', 'api-settings');
    const { METRICS_ON_API_PORT, ...others } = data;
    expect(METRICS_ON_API_PORT).toBe('false');
    for (const [name, value] of Object.entries(others)) {
      expect(services.api?.environment).toHaveProperty(name);
      expect([name, value]).toEqual([name, defaults[name]]);
    }
  });

  it.each(['api', 'prometheus', 'grafana'])('%s may take as much memory as in compose', (name) => {
    const { limits } = containerOf(workload('base', name)).resources ?? {};
    expect(limits?.memory).toBe(
      services[name]?.mem_limit.replace(/([mg])$/, (unit) => `${unit.toUpperCase()}i`),
    );
  });

  it.each(['prometheus', 'grafana'])('%s runs as the user of compose', (name) => {
    const { securityContext } = workload('base', name).pod;
    expect(`${securityContext?.runAsUser}:${securityContext?.runAsGroup}`).toBe(services[name]?.user);
  });

  it('brings the load generator its script', () => {
    for (const folder of ['load/shards', 'load/combine', 'load/verify'] as const)
      expect(configMap(folder, 'loadgen-script').data).toEqual({
        'job.sh': read('kubernetes/load/shared/job.sh'),
      });
  });
});
