/** What has to hold between the objects, and for every pod of every folder. */
import { expect, it } from '@jest/globals';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IConfigMap, INamespace, IService, IServiceAccount } from 'kubernetes-models/v1';
import { parse } from 'yaml';
import {
  configMap,
  containerOf,
  defaults,
  FOLDERS,
  type Folder,
  objectsOf,
  ofKind,
  only,
  read,
  type Workload,
  whereKubectlIs,
  workload,
  workloadsOf,
} from './rendered.ts';

const matches = (selector: Readonly<Record<string, string>> = {}, { labels }: Workload) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);
const portsOf = (found: Workload) =>
  new Map(containerOf(found).ports?.map(({ name = '', containerPort }) => [name, containerPort]));

whereKubectlIs.each(FOLDERS)('every workload of %s', (folder) => {
  const each = (check: (found: Workload) => void) => () => workloadsOf(folder).forEach(check);

  it(
    'selects its own pods',
    each((found) => expect(matches(found.selector, found)).toBe(true)),
  );

  it(
    'fits the profile `restricted` of Pod Security, on a read-only root',
    each(({ pod: { securityContext, volumes = [], ...spec }, ...found }) => {
      expect(securityContext).toEqual(
        expect.objectContaining({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }),
      );
      expect(securityContext?.runAsUser).toBeGreaterThan(0);
      const container = containerOf({ ...found, pod: spec });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      for (const field of ['hostNetwork', 'hostPID', 'initContainers'])
        expect(spec).not.toHaveProperty(field);
      const sources = volumes.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
      expect(['configMap', 'emptyDir', 'projected']).toEqual(expect.arrayContaining(sources));
      // An image without a tag would be asked for at every start, from a registry that may not be there.
      expect(container.imagePullPolicy).toBe('IfNotPresent');
    }),
  );

  it(
    'requests resources, and has limits',
    each((found) => {
      const amounts = { cpu: expect.anything(), memory: expect.anything() };
      expect(containerOf(found).resources).toEqual({ requests: amounts, limits: amounts });
    }),
  );

  it(
    'has an account of its own, of which no pod has a token',
    each(({ pod }) => {
      const account = only<IServiceAccount>(folder, 'ServiceAccount', pod.serviceAccountName ?? '');
      const tokens = [account.automountServiceAccountToken, pod.automountServiceAccountToken];
      expect(tokens).toEqual([false, false]);
    }),
  );

  it(
    'runs an image of compose',
    each((found) => {
      const images = [...read('docker-compose.yml').matchAll(/^ {4}image: (.+)$/gm)];
      const names = images.map(([, image = '']) =>
        image.replace(/\$\{(\w+)\}/, (_all, name: string) => defaults[name] ?? name),
      );
      expect(names).toContain(containerOf(found).image);
    }),
  );

  it(
    'mounts volumes that it has, and ConfigMaps that exist or that the script creates',
    each((found) => {
      const claims = ofKind<IStatefulSet>(folder, 'StatefulSet')
        .filter(({ metadata }) => metadata?.name === found.name)
        .flatMap(({ spec }) => spec?.volumeClaimTemplates?.map(({ metadata }) => metadata?.name) ?? []);
      const volumes = found.pod.volumes ?? [];
      const mounts = containerOf(found).volumeMounts?.map(({ name }) => name) ?? [];
      expect(mounts.sort()).toEqual([...volumes.map(({ name }) => name), ...claims].sort());
      const needed = volumes.flatMap(({ configMap: one, projected }) => [
        ...(one ? [one.name] : []),
        ...(projected?.sources ?? []).map((source) => source.configMap?.name),
      ]);
      const existing = ofKind<IConfigMap>(folder, 'ConfigMap').map(({ metadata }) => metadata?.name);
      const created = ['loadgen-shards', 'loadgen-ledger', 'loadgen-patterns'];
      expect([...existing, ...created]).toEqual(expect.arrayContaining(needed));
    }),
  );

  it('is in one namespace, which admits only `restricted` pods', () => {
    for (const { kind, metadata } of objectsOf(folder)) {
      const namespace = kind === 'Namespace' ? metadata.name : metadata.namespace;
      expect([kind, metadata.name, namespace]).toEqual([kind, metadata.name, 'observability-stack']);
    }
    for (const { metadata } of ofKind<INamespace>(folder, 'Namespace'))
      expect(metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  it('fits into the annotation in which `kubectl apply` keeps it', () => {
    for (const object of objectsOf(folder))
      expect(Buffer.byteLength(JSON.stringify(object))).toBeLessThan(256 * 1024);
  });
});

whereKubectlIs('services and policies', () => {
  it.each(['base', 'overlays/operator'] as const)(
    'every Service of %s finds pods, at ports that they have',
    (folder) => {
      for (const { metadata, spec } of ofKind<IService>(folder, 'Service')) {
        const found = workloadsOf(folder).filter((one) => matches(spec?.selector, one));
        const ports = found.map((one) =>
          spec?.ports?.map(({ targetPort }) => portsOf(one).get(String(targetPort))),
        );
        expect([metadata?.name, ports]).toEqual([metadata?.name, [spec?.ports?.map(({ port }) => port)]]);
      }
    },
  );

  it('the name that prometheus.yml asks for has the address of every pod, also of one that drains', () => {
    expect(read('prometheus/prometheus.yml')).toContain(
      '- names: [api]\n        type: A\n        port: 8000\n',
    );
    const { spec } = only<IService>('base', 'Service', 'api');
    expect(spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(spec?.ports).toContainEqual({ name: 'metrics', port: 8000, targetPort: 'metrics' });
    expect(only<IService>('base', 'Service', 'api-balanced').spec).not.toHaveProperty('clusterIP');
  });

  it('only Prometheus reaches the metrics, and only Grafana and the load generator reach Prometheus', () => {
    const named = (name: string) => ({ podSelector: { matchLabels: { 'app.kubernetes.io/name': name } } });
    const policies = ofKind<INetworkPolicy>('base', 'NetworkPolicy').map(({ metadata, spec }) => {
      expect(spec?.policyTypes).toEqual(['Ingress']);
      const rules = spec?.ingress?.map(({ from, ports }) => [from, ports?.map(({ port }) => port)]) ?? [];
      return [metadata?.name, spec?.podSelector, rules];
    });
    expect(policies).toHaveLength(3);
    expect(policies).toEqual(
      expect.arrayContaining([
        ['default-deny-ingress', {}, []],
        [
          'api',
          named('api').podSelector,
          [
            [undefined, ['http']],
            [[named('prometheus')], ['metrics']],
          ],
        ],
        ['prometheus', named('prometheus').podSelector, [[[named('grafana'), named('loadgen')], ['http']]]],
      ]),
    );
    for (const name of ['api', 'prometheus'])
      for (const { ports = [] } of only<INetworkPolicy>('base', 'NetworkPolicy', name).spec?.ingress ?? [])
        for (const { port } of ports) expect([...portsOf(workload('base', name)).keys()]).toContain(port);
    for (const folder of FOLDERS.filter((one: Folder) => one.startsWith('load/')))
      for (const { labels } of workloadsOf(folder)) expect(labels['app.kubernetes.io/name']).toBe('loadgen');
  });

  it('the Prometheus of another namespace reaches the metrics, with the operator', () => {
    const { spec } = only<INetworkPolicy>('overlays/operator', 'NetworkPolicy', 'api');
    expect(spec?.ingress?.[1]?.from).toEqual([
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
        podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
      },
    ]);
  });
});

whereKubectlIs('the life of a pod', () => {
  // These paths answer 200: the API's are tried in app/test, those of Prometheus and Grafana in test/integration.
  it.each([
    ['api', 'metrics', ['/healthz', '/readyz']],
    ['prometheus', 'http', ['/-/ready', '/-/healthy']],
    ['grafana', 'http', ['/api/health']],
  ])('%s has probes for start, readiness and liveness, where it answers', (name, probed, paths) => {
    const { startupProbe, readinessProbe, livenessProbe } = containerOf(workload('base', name));
    for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
      expect(probe?.httpGet?.port).toBe(probed);
      expect(paths).toContain(probe?.httpGet?.path);
    }
    expect(livenessProbe?.httpGet?.path).not.toBe('/readyz');
  });

  it('the API has the time to end its requests, to be scraped once more, and to end', () => {
    const { terminationGracePeriodSeconds } = workload('base', 'api').pod;
    const { lifecycle } = containerOf(workload('base', 'api'));
    const { SHUTDOWN_GRACE_MS, SHUTDOWN_SCRAPE_WAIT_MS } = configMap('base', 'api-settings').data ?? {};
    const interval = Number.parseInt(parse(read('prometheus/prometheus.yml')).global.scrape_interval, 10);
    expect(Number(SHUTDOWN_SCRAPE_WAIT_MS) / 1000).toBe(2 * interval);
    const drainSeconds = (Number(SHUTDOWN_GRACE_MS) + Number(SHUTDOWN_SCRAPE_WAIT_MS)) / 1000;
    expect(terminationGracePeriodSeconds).toBe((lifecycle?.preStop?.sleep?.seconds ?? 0) + drainSeconds + 5);
  });

  it('the autoscaler alone sets the number of pods of the API, and the disruption budget leaves at least one', () => {
    expect(only<IDeployment>('base', 'Deployment', 'api').spec).not.toHaveProperty('replicas');
    expect(only<IHorizontalPodAutoscaler>('base', 'HorizontalPodAutoscaler', 'api').spec).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' },
      minReplicas: 2,
      maxReplicas: 10,
    });
    const budget = only<IPodDisruptionBudget>('base', 'PodDisruptionBudget', 'api').spec;
    expect(matches(budget?.selector?.matchLabels, workload('base', 'api'))).toBe(true);
    expect(Number(budget?.maxUnavailable)).toBe(1);
  });

  it('the pods of the API are spread over nodes and zones', () => {
    const { topologySpreadConstraints = [] } = workload('base', 'api').pod;
    const keys = topologySpreadConstraints.map(({ topologyKey }) => topologyKey);
    expect(keys).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
    for (const { labelSelector } of topologySpreadConstraints)
      expect(matches(labelSelector?.matchLabels, workload('base', 'api'))).toBe(true);
  });

  it('no shard is sent twice, and there are as many as the generator gets as its setting', () => {
    const { spec } = only<IJob>('load/shards', 'Job', 'loadgen');
    const shards = Number(configMap('load/shards', 'loadgen-settings').data?.SHARDS);
    expect(spec).toMatchObject({
      completionMode: 'Indexed',
      backoffLimitPerIndex: 0,
      completions: shards,
      parallelism: shards,
      template: { spec: { restartPolicy: 'Never' } },
    });
  });
});
