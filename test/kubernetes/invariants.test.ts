/** What has to hold between the objects, and what every pod has to be like, whichever folder it comes from. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IConfigMap, INamespace, IProbe, IService, IServiceAccount } from 'kubernetes-models/v1';
import {
  configMap,
  containerOf,
  FOLDERS,
  type Folder,
  objectsOf,
  ofKind,
  only,
  repositoryRoot,
  type Workload,
  whereKubectlIs,
  workload,
  workloadsOf,
} from './rendered.ts';

const read = (path: string) => readFileSync(new URL(path, repositoryRoot), 'utf8');

/** Every workload of every folder, with a name that tells where it stands. */
const everyWorkload = () =>
  FOLDERS.flatMap((folder) =>
    workloadsOf(folder).map((found) => ({ where: `${folder}: ${found.name}`, folder, found })),
  );

const matches = (selector: Readonly<Record<string, string>>, { labels }: Workload) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

function portNames(found: Workload): Map<string, number> {
  const ports = containerOf(found).ports ?? [];
  return new Map(ports.map(({ name, containerPort }) => [name ?? '', containerPort]));
}

whereKubectlIs('every workload', () => {
  it('selects its own pods', () => {
    for (const { where, found } of everyWorkload())
      if (found.selector !== undefined)
        expect([where, matches(found.selector, found)]).toEqual([where, true]);
  });

  it('is as the profile `restricted` of Pod Security wants it, and its root is read-only', () => {
    for (const { where, found } of everyWorkload()) {
      const { securityContext: pod, ...spec } = found.pod;
      const { securityContext, image, imagePullPolicy } = containerOf(found);
      expect({ where, pod, securityContext }).toEqual({
        where,
        pod: expect.objectContaining({
          runAsNonRoot: true,
          runAsUser: expect.any(Number),
          seccompProfile: { type: 'RuntimeDefault' },
        }),
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      });
      expect(pod?.runAsUser).toBeGreaterThan(0);
      expect(spec).not.toHaveProperty('hostNetwork');
      expect(spec).not.toHaveProperty('hostPID');
      expect(spec).not.toHaveProperty('initContainers');
      const sources = (spec.volumes ?? []).flatMap((volume) =>
        Object.keys(volume).filter((key) => key !== 'name'),
      );
      expect(['configMap', 'emptyDir', 'projected']).toEqual(expect.arrayContaining([...new Set(sources)]));
      // An image without a tag would be asked for at every start, from a registry that may not be there.
      expect([where, image, imagePullPolicy]).toEqual([where, image, 'IfNotPresent']);
    }
  });

  it('says what it needs and how much it may take', () => {
    for (const { where, found } of everyWorkload()) {
      const amounts = { cpu: expect.anything(), memory: expect.anything() };
      expect({ where, ...containerOf(found).resources }).toEqual({
        where,
        requests: amounts,
        limits: amounts,
      });
    }
  });

  it('runs with an account of its own that no pod has a token of', () => {
    for (const { where, folder, found } of everyWorkload()) {
      const account = only<IServiceAccount>(folder, 'ServiceAccount', found.pod.serviceAccountName ?? '');
      expect([where, account.automountServiceAccountToken, found.pod.automountServiceAccountToken]).toEqual([
        where,
        false,
        false,
      ]);
    }
  });

  it('runs an image of compose', () => {
    const variables = new Map(
      [...read('.env').matchAll(/^([A-Z_]+)=(.+)$/gm)].map(([, name = '', image = '']) => [name, image]),
    );
    const images = [...read('docker-compose.yml').matchAll(/^ {4}image: (.+)$/gm)].map(([, image = '']) =>
      image.replace(/\$\{(\w+)\}/, (_all, name: string) => variables.get(name) ?? name),
    );
    for (const { found } of everyWorkload()) expect(images).toContain(containerOf(found).image);
  });

  it('mounts volumes that it has, and ConfigMaps that are there or brought by the script', () => {
    const brought = ['loadgen-shards', 'loadgen-ledger', 'loadgen-patterns'];
    for (const { where, folder, found } of everyWorkload()) {
      const claims = ofKind<IStatefulSet>(folder, 'StatefulSet')
        .filter(({ metadata }) => metadata?.name === found.name)
        .flatMap(({ spec }) => spec?.volumeClaimTemplates ?? []);
      const volumes = [
        ...(found.pod.volumes ?? []),
        ...claims.map(({ metadata }) => ({ name: metadata?.name ?? '' })),
      ];
      const mounts = containerOf(found).volumeMounts ?? [];
      expect([where, mounts.map(({ name }) => name).sort()]).toEqual([
        where,
        volumes.map(({ name }) => name).sort(),
      ]);
      const wanted = (found.pod.volumes ?? []).flatMap(({ configMap: one, projected }) => [
        ...(one ? [one.name] : []),
        ...(projected?.sources ?? []).map((source) => source.configMap?.name),
      ]);
      const there = ofKind<IConfigMap>(folder, 'ConfigMap').map(({ metadata }) => metadata?.name);
      expect([...there, ...brought]).toEqual(expect.arrayContaining(wanted));
    }
  });
});

whereKubectlIs('services and policies', () => {
  const withPods: Folder[] = ['base', 'overlays/operator'];

  it.each(withPods)('every Service of %s finds pods, at ports that they have', (folder) => {
    for (const { metadata, spec } of ofKind<IService>(folder, 'Service')) {
      const [found, ...others] = workloadsOf(folder).filter((one) => matches(spec?.selector ?? {}, one));
      expect([metadata?.name, others]).toEqual([metadata?.name, []]);
      for (const { port, targetPort } of spec?.ports ?? [])
        expect([metadata?.name, port]).toEqual([
          metadata?.name,
          found && portNames(found).get(String(targetPort)),
        ]);
    }
  });

  it('the name that prometheus.yml asks for has the address of every pod, also of one that drains', () => {
    expect(read('prometheus/prometheus.yml')).toContain(
      '- names: [api]\n        type: A\n        port: 8000\n',
    );
    const { spec } = only<IService>('base', 'Service', 'api');
    expect(spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(spec?.ports).toContainEqual({ name: 'metrics', port: 8000, targetPort: 'metrics' });
    expect(only<IService>('base', 'Service', 'api-balanced').spec).not.toHaveProperty('clusterIP');
  });

  it('lets only Prometheus to the metrics, and only Grafana and the load generator to Prometheus', () => {
    expect(ingressOf('base', 'default-deny-ingress')).toEqual({ selector: {}, rules: [] });
    expect(ingressOf('base', 'api')).toEqual({
      selector: { 'app.kubernetes.io/name': 'api' },
      rules: [
        { from: ['anybody'], ports: ['http'] },
        { from: ['prometheus'], ports: ['metrics'] },
      ],
    });
    expect(ingressOf('base', 'prometheus')).toEqual({
      selector: { 'app.kubernetes.io/name': 'prometheus' },
      rules: [{ from: ['grafana', 'loadgen'], ports: ['http'] }],
    });
    expect(ofKind('base', 'NetworkPolicy')).toHaveLength(3);
    for (const folder of ['load/shards', 'load/combine', 'load/verify'] as const)
      for (const { labels } of workloadsOf(folder)) expect(labels['app.kubernetes.io/name']).toBe('loadgen');
  });

  it('lets the Prometheus of another namespace to the metrics, with the operator', () => {
    const { spec } = only<INetworkPolicy>('overlays/operator', 'NetworkPolicy', 'api');
    expect(spec?.ingress?.[1]?.from).toEqual([
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
        podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
      },
    ]);
  });

  it('names ports in policies that the pods have', () => {
    for (const { spec } of ofKind<INetworkPolicy>('base', 'NetworkPolicy')) {
      const pods = workloadsOf('base').filter((one) => matches(spec?.podSelector?.matchLabels ?? {}, one));
      for (const { port } of (spec?.ingress ?? []).flatMap(({ ports = [] }) => ports))
        for (const one of pods) expect([...portNames(one).keys()]).toContain(port);
    }
  });

  function ingressOf(folder: Folder, name: string) {
    const { spec } = only<INetworkPolicy>(folder, 'NetworkPolicy', name);
    expect(spec?.policyTypes).toEqual(['Ingress']);
    return {
      selector: spec?.podSelector?.matchLabels ?? {},
      rules: (spec?.ingress ?? []).map(({ from, ports = [] }) => ({
        from: from?.map(({ podSelector }) => podSelector?.matchLabels?.['app.kubernetes.io/name']) ?? [
          'anybody',
        ],
        ports: ports.map(({ port }) => port),
      })),
    };
  }
});

whereKubectlIs('the life of a pod', () => {
  /** Paths that answer 200 on each port: the API's are tried in app/test, Prometheus' and Grafana's in integration/. */
  const PATHS: Record<string, Record<string, string[]>> = {
    api: { metrics: ['/healthz', '/readyz'] },
    prometheus: { http: ['/-/ready', '/-/healthy'] },
    grafana: { http: ['/api/health'] },
  };

  it.each(Object.keys(PATHS))(
    '%s is asked whether it starts, is ready and lives, where it answers',
    (name) => {
      const { startupProbe, readinessProbe, livenessProbe } = containerOf(workload('base', name));
      for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
        const { path = '', port = '' } = (probe as IProbe).httpGet ?? {};
        expect(PATHS[name]?.[port]).toContain(path);
      }
      expect(livenessProbe?.httpGet?.path).not.toBe('/readyz');
    },
  );

  it('the API has the time to end its requests, to be scraped once more, and to end', () => {
    const { terminationGracePeriodSeconds = 0 } = workload('base', 'api').pod;
    const { lifecycle } = containerOf(workload('base', 'api'));
    const { data = {} } = configMap('base', 'api-settings');
    const drainSeconds = (Number(data.SHUTDOWN_GRACE_MS) + Number(data.SHUTDOWN_SCRAPE_WAIT_MS)) / 1000;
    const [, interval = ''] = /^ {2}scrape_interval: (\d+)s$/m.exec(read('prometheus/prometheus.yml')) ?? [];
    expect(Number(data.SHUTDOWN_SCRAPE_WAIT_MS) / 1000).toBe(2 * Number(interval));
    expect(terminationGracePeriodSeconds).toBe((lifecycle?.preStop?.sleep?.seconds ?? 0) + drainSeconds + 5);
  });

  it("the number of pods of the API is the autoscaler's, and the disruption budget leaves one at the least", () => {
    expect(only<IDeployment>('base', 'Deployment', 'api').spec).not.toHaveProperty('replicas');
    const { spec } = only<IHorizontalPodAutoscaler>('base', 'HorizontalPodAutoscaler', 'api');
    expect(spec).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' },
      minReplicas: 2,
      maxReplicas: 10,
    });
    expect(containerOf(workload('base', 'api')).resources?.requests).toHaveProperty('cpu');
    const budget = only<IPodDisruptionBudget>('base', 'PodDisruptionBudget', 'api').spec;
    expect(matches(budget?.selector?.matchLabels ?? {}, workload('base', 'api'))).toBe(true);
    expect(Number(budget?.maxUnavailable)).toBeLessThan(spec?.minReplicas ?? 0);
  });

  it('spreads the pods of the API over nodes and zones', () => {
    const { topologySpreadConstraints = [] } = workload('base', 'api').pod;
    expect(topologySpreadConstraints.map(({ topologyKey }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    for (const { labelSelector } of topologySpreadConstraints)
      expect(matches(labelSelector?.matchLabels ?? {}, workload('base', 'api'))).toBe(true);
  });

  it('sends no shard twice, and as many as the generator is told', () => {
    const { spec } = only<IJob>('load/shards', 'Job', 'loadgen');
    expect(spec).toMatchObject({ completionMode: 'Indexed', backoffLimitPerIndex: 0 });
    expect(workload('load/shards', 'loadgen').pod.restartPolicy).toBe('Never');
    const shards = Number(configMap('load/shards', 'loadgen-settings').data?.SHARDS);
    expect([spec?.completions, spec?.parallelism]).toEqual([shards, shards]);
  });
});

whereKubectlIs('everything', () => {
  it.each(FOLDERS)('is in one namespace, where only `restricted` pods are let in: %s', (folder) => {
    for (const { kind, metadata } of objectsOf(folder)) {
      const own = kind === 'Namespace' ? metadata.name : metadata.namespace;
      expect([kind, metadata.name, own]).toEqual([kind, metadata.name, 'observability-stack']);
    }
    for (const { metadata } of ofKind<INamespace>(folder, 'Namespace'))
      expect(metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  it.each(FOLDERS)('fits into the annotation in which `kubectl apply` remembers it: %s', (folder) => {
    for (const object of objectsOf(folder))
      expect([object.metadata.name, JSON.stringify(object).length < 256 * 1024]).toEqual([
        object.metadata.name,
        true,
      ]);
  });
});
