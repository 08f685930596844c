/** Pods have the same files as compose services, byte for byte and at the same paths, and the same flags except for how much data to keep. */
import { expect, it } from '@jest/globals';
import type { IVolume } from 'kubernetes-models/v1';
import {
  composeWords,
  defaults,
  namesIn,
  read,
  remoteWriteOverride,
  services,
} from '../support/repository.ts';
import { configMap, whereKubectlIs, workload } from './rendered.ts';

/** The files in a pod's container: texts by path. */
function filesOf(name: string): Record<string, string> {
  const { pod, container } = workload('base', name);
  const files = (container.volumeMounts ?? []).flatMap(({ name: volumeName, mountPath, subPath }) =>
    filesIn(pod.volumes?.find((candidate) => candidate.name === volumeName))
      .filter(([path]) => subPath === undefined || path === subPath)
      .map(([path, text]) => [subPath === undefined ? `${mountPath}/${path}` : mountPath, text]),
  );
  return Object.fromEntries(files);
}

function filesIn(volume: IVolume | undefined): [string, string][] {
  const sources = volume?.projected?.sources ?? (volume?.configMap ? [{ configMap: volume.configMap }] : []);
  return sources.flatMap(({ configMap: source }) => {
    const data = configMap('base', source?.name ?? '');
    const items = source?.items ?? Object.keys(data).map((key) => ({ key, path: key }));
    return items.map(({ key, path }): [string, string] => [path, data[key] ?? `no key ${key}`]);
  });
}

/** Files of the repository, and of its folders, by their paths in a container. */
function repositoryFiles(places: readonly (readonly [path: string, to: string])[]): Record<string, string> {
  const files = places.flatMap(([path, to]) =>
    /\.\w+$/.test(path) ? [[to, read(path)]] : textsIn(path).map(([name, text]) => [`${to}/${name}`, text]),
  );
  return Object.fromEntries(files);
}
const textsIn = (folder: string) =>
  namesIn(folder)
    .filter((name) => name !== 'kustomization.yaml')
    .map((name) => [name, read(`${folder}/${name}`)] as const);

const PROMETHEUS = [
  'prometheus.yml',
  'remote-write.sh',
  'rules',
  'targets',
  'alertmanagers',
  'consoles',
  'console_libraries',
].map((path) => [`prometheus/${path}`, `/etc/prometheus/${path}`] as const);
const GRAFANA = [
  ['grafana/provisioning/datasources', '/etc/grafana/provisioning/datasources'],
  ['grafana/provisioning/dashboards', '/etc/grafana/provisioning/dashboards'],
  ['grafana/dashboards', '/var/lib/grafana/dashboards'],
] as const;

/** Compose's flags of Prometheus; sizes.test.ts checks how much data each size of Kubernetes keeps. */
const flagsWithRetention = (size: string) =>
  composeWords('prometheus').map((flag) => flag.replace(/(retention\.size)=4GB$/, `$1=${size}`));

whereKubectlIs('configuration', () => {
  it('Prometheus has the same files and flags as in compose', () => {
    expect(services.prometheus?.volumes).toContain('./prometheus:/etc/prometheus:ro');
    expect(filesOf('prometheus')).toEqual(repositoryFiles(PROMETHEUS));
    expect(workload('base', 'prometheus').container.args).toEqual(flagsWithRetention('12GB'));
  });

  it('Prometheus forwards samples with the same script and variables as in compose, and a name per pod', () => {
    const used = read('prometheus/remote-write.sh').matchAll(/\b[A-Z]+_[A-Z_]+\b/g);
    const names = new Set([...used].map(([name]) => name));
    expect(new Set(Object.keys(remoteWriteOverride.environment))).toEqual(names);
    const { container } = workload('overlays/remote-write', 'prometheus');
    expect(container.command).toEqual(remoteWriteOverride.entrypoint);
    expect(container.args).toEqual(flagsWithRetention('500GB'));
    expect(container.args?.[0]).toMatch(/^--config\.file=/);
    const [settings, secret] = container.envFrom ?? [];
    const given = Object.keys(configMap('overlays/remote-write', 'remote-write'));
    expect(settings?.configMapRef?.name).toMatch(/^remote-write-\w+$/);
    expect(secret?.secretRef).toEqual({ name: 'remote-write', optional: true });
    const fromPod = container.env?.map(({ name }) => name) ?? [];
    expect(new Set([...given, ...fromPod, 'REMOTE_WRITE_CREDENTIALS'])).toEqual(names);
  });

  it('Grafana has the same files as in compose', () => {
    for (const [, to] of GRAFANA)
      expect(services.grafana?.volumes?.filter((volume) => volume.endsWith(`:${to}:ro`))).toHaveLength(1);
    const ini = ['grafana/grafana.ini', '/etc/grafana/grafana.ini'] as const;
    expect(filesOf('grafana')).toEqual(repositoryFiles([ini, ...GRAFANA]));
  });

  it('the API has the same settings as in compose, except that it serves no metrics on the API port', () => {
    const { METRICS_ON_API_PORT, ...others } = configMap('base', 'api-settings');
    expect(METRICS_ON_API_PORT).toBe('false');
    for (const [name, value] of Object.entries(others)) {
      expect(services.api?.environment).toHaveProperty(name);
      expect([name, value]).toEqual([name, defaults[name]]);
    }
  });

  it.each(['api', 'prometheus', 'grafana'])('%s has the same memory limit as in compose', (name) => {
    const inCompose = services[name]?.mem_limit.replace(/[mg]$/, (unit) => `${unit.toUpperCase()}i`);
    expect(workload('base', name).container.resources?.limits?.memory).toBe(inCompose);
  });

  it.each(['prometheus', 'grafana'])('%s runs as the same user as in compose', (name) => {
    const { securityContext } = workload('base', name).pod;
    expect(`${securityContext?.runAsUser}:${securityContext?.runAsGroup}`).toBe(services[name]?.user);
  });
});
