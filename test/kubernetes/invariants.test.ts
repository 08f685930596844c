/** Requirements on every pod of every folder, and on the relations between objects. */
import { expect, it } from '@jest/globals';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IPriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1';
import type { IConfigMap, INamespace, IService, IServiceAccount } from 'kubernetes-models/v1';
import { parse } from 'yaml';
import { defaults, read } from '../support/repository.ts';
import {
  configMap,
  FOLDERS,
  objectsOf,
  ofKind,
  only,
  type Workload,
  whereKubectlIs,
  workload,
  workloadsOf,
} from './rendered.ts';

const matches = (selector: Readonly<Record<string, string>> = {}, { labels }: Workload) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);
const NAMESPACE = 'observability-stack';
const { version } = JSON.parse(read('package.json')) as { version: string };
const portsOf = ({ container }: Workload) =>
  new Map(container.ports?.map(({ name = '', containerPort }) => [name, containerPort]));
const imagesOfCompose = [...read('docker-compose.yml').matchAll(/^ {4}image: (.+)$/gm)].map(
  ([, image = '']) => image.replace(/\$\{(\w+)\}/, (_all, name: string) => defaults[name] ?? name),
);

whereKubectlIs.each(FOLDERS)('every workload of %s', (folder) => {
  const everyWorkload = (title: string, check: (found: Workload) => void) =>
    it(title, () => workloadsOf(folder).forEach(check));

  everyWorkload('selects its own pods, and runs an image from docker-compose.yml', (found) => {
    expect(matches(found.selector, found)).toBe(true);
    // The production overlay sets a registry and a version, like a user's own overlay.
    const ours =
      folder === 'overlays/production' ? 'registry.example/team/$1:1.4.0' : `${NAMESPACE}/$1:${version}`;
    const images = imagesOfCompose.map((image) => image.replace(/^observability-stack\/(\w+)$/, ours));
    expect(images).toContain(found.container.image);
    // The registry may be unavailable when a pod starts.
    expect(found.container.imagePullPolicy).toBe('IfNotPresent');
  });

  everyWorkload(
    'meets the Pod Security profile `restricted`, with a read-only root file system',
    ({ pod, container }) => {
      const { securityContext, volumes = [] } = pod;
      const seccompProfile = { type: 'RuntimeDefault' };
      expect(securityContext).toEqual(expect.objectContaining({ runAsNonRoot: true, seccompProfile }));
      expect(securityContext?.runAsUser).toBeGreaterThan(0);
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      for (const field of ['hostNetwork', 'hostPID', 'initContainers']) expect(pod).not.toHaveProperty(field);
      const sources = volumes.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
      expect(['configMap', 'emptyDir', 'projected']).toEqual(expect.arrayContaining(sources));
    },
  );

  everyWorkload('has resource requests and limits', ({ container }) => {
    const amounts = { cpu: expect.anything(), memory: expect.anything() };
    expect(container.resources).toEqual({ requests: amounts, limits: amounts });
  });

  everyWorkload('has a service account, but no token for it', ({ pod }) => {
    const owner = folder === 'load' ? 'base' : folder;
    const account = only<IServiceAccount>(owner, 'ServiceAccount', pod.serviceAccountName ?? '');
    const tokens = [account.automountServiceAccountToken, pod.automountServiceAccountToken];
    expect(tokens).toEqual([false, false]);
  });

  everyWorkload(
    'mounts all of its volumes and no others, and uses ConfigMaps that exist or that the script creates',
    (found) => {
      const claims = ofKind<IStatefulSet>(folder, 'StatefulSet')
        .filter(({ metadata }) => metadata?.name === found.name)
        .flatMap(({ spec }) => spec?.volumeClaimTemplates?.map(({ metadata }) => metadata?.name) ?? []);
      const volumes = found.pod.volumes ?? [];
      const mounts = new Set(found.container.volumeMounts?.map(({ name }) => name));
      expect(mounts).toEqual(new Set([...volumes.map(({ name }) => name), ...claims]));
      const needed = volumes.flatMap(({ configMap: one, projected }) => [
        ...(one ? [one.name] : []),
        ...(projected?.sources ?? []).map((source) => source.configMap?.name),
      ]);
      const folders = folder === 'load' ? (['load', 'base'] as const) : [folder];
      const existing = folders.flatMap((one) => ofKind<IConfigMap>(one, 'ConfigMap'));
      expect([...existing.map(({ metadata }) => metadata?.name), 'loadgen-plan']).toEqual(
        expect.arrayContaining(needed),
      );
    },
  );

  it('is in one namespace, which admits only `restricted` pods', () => {
    for (const { kind, metadata } of objectsOf(folder)) {
      if (kind === 'PriorityClass') continue; // not in any namespace
      const namespace = kind === 'Namespace' ? metadata.name : metadata.namespace;
      expect([kind, metadata.name, namespace]).toEqual([kind, metadata.name, 'observability-stack']);
    }
    for (const { metadata } of ofKind<INamespace>(folder, 'Namespace'))
      expect(metadata?.labels).toMatchObject({
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/enforce-version': `v${/Kubernetes (1\.\d+) or newer/.exec(read('docs/kubernetes.md'))?.[1]}`,
      });
  });

  it('is small enough for the annotation in which `kubectl apply` stores it', () => {
    for (const object of objectsOf(folder))
      expect(Buffer.byteLength(JSON.stringify(object))).toBeLessThan(256 * 1024);
  });
});

whereKubectlIs('services and policies', () => {
  it.each(['base', 'overlays/operator'] as const)(
    'every Service of %s selects one workload, at the ports of its container',
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

  it('the name in prometheus.yml resolves to the addresses of all pods, including draining ones', () => {
    const asked = parse(read('prometheus/prometheus.yml')).scrape_configs[0].dns_sd_configs;
    expect(asked).toEqual([expect.objectContaining({ names: ['api'], type: 'A', port: 8000 })]);
    const { spec } = only<IService>('base', 'Service', 'api');
    expect(spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(spec?.ports).toContainEqual({ name: 'metrics', port: 8000, targetPort: 'metrics' });
    expect(only<IService>('base', 'Service', 'api-balanced').spec).not.toHaveProperty('clusterIP');
  });

  it('every necessary connection is allowed at both ends, and no other', () => {
    const pods = (name: string) => ({ podSelector: { matchLabels: { 'app.kubernetes.io/name': name } } });
    const oneOf = (...values: string[]) => ({
      podSelector: { matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'In', values }] },
    });
    const all = { podSelector: {} };
    const at = (port: string) => [{ port, protocol: 'TCP' }];
    const clients = { namespaceSelector: { matchLabels: { 'observability-stack/client': 'true' } } };
    const scrapes = { from: [pods('prometheus')], ports: at('metrics') };
    const dns = ['UDP', 'TCP'].map((protocol) => ({ port: 53, protocol }));
    const policyTypes = ['Ingress', 'Egress'];
    const policies = ofKind<INetworkPolicy>('base', 'NetworkPolicy');
    expect(Object.fromEntries(policies.map(({ metadata, spec }) => [metadata?.name, spec]))).toEqual({
      'default-deny': { ...all, policyTypes, egress: [{ ports: dns }] },
      api: {
        ...pods('api'),
        policyTypes: ['Ingress'],
        ingress: [{ from: [all, clients], ports: at('http') }, scrapes],
      },
      prometheus: {
        ...pods('prometheus'),
        policyTypes,
        ingress: [{ from: [oneOf('grafana', 'loadgen')], ports: at('http') }],
        egress: [{ to: [all], ports: at('metrics') }],
      },
      grafana: {
        ...pods('grafana'),
        policyTypes: ['Egress'],
        egress: [{ to: [pods('prometheus')], ports: at('http') }],
      },
      loadgen: {
        ...pods('loadgen'),
        policyTypes,
        ingress: [{ from: [pods('loadgen')], ports: at('http') }],
        egress: [{ to: [oneOf('api', 'prometheus', 'loadgen')], ports: at('http') }],
      },
    });
    for (const name of ['api', 'prometheus', 'ledger'])
      expect(portsOf(workload('base', name)).has('http')).toBe(true);
    for (const found of [...workloadsOf('load'), ...workloadsOf('base')])
      expect(found.labels['app.kubernetes.io/name']).toBe(found.name === 'ledger' ? 'loadgen' : found.name);
    // The receiver of remote_write may be anywhere.
    const { spec } = only<INetworkPolicy>('overlays/remote-write', 'NetworkPolicy', 'prometheus');
    expect(spec?.egress?.slice(1)).toEqual([{ ports: [{ protocol: 'TCP' }] }]);
  });

  it('with the operator, a Prometheus in another namespace may scrape the metrics', () => {
    const { spec } = only<INetworkPolicy>('overlays/operator', 'NetworkPolicy', 'api');
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } };
    const podSelector = { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } };
    expect(spec?.ingress?.[1]?.from).toEqual([{ namespaceSelector, podSelector }]);
  });
});

whereKubectlIs('the lifecycle of a pod', () => {
  // Tests in app/test check that the API's paths return 200; tests in test/integration, those of Prometheus and Grafana.
  it.each([
    ['api', 'metrics', ['/healthz', '/readyz']],
    ['prometheus', 'http', ['/-/ready', '/-/healthy']],
    ['grafana', 'http', ['/api/health']],
  ])('%s has startup, readiness and liveness probes, at paths that it serves', (name, probed, paths) => {
    const { startupProbe, readinessProbe, livenessProbe } = workload('base', name).container;
    for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
      expect(probe?.httpGet?.port).toBe(probed);
      expect(paths).toContain(probe?.httpGet?.path);
    }
    expect(livenessProbe?.httpGet?.path).not.toBe('/readyz');
  });

  it('the API has enough time to finish its requests, to be scraped once more, and to exit', () => {
    const { pod, container } = workload('base', 'api');
    const { SHUTDOWN_GRACE_MS, SHUTDOWN_SCRAPE_WAIT_MS } = configMap('base', 'api-settings');
    const interval = Number.parseInt(parse(read('prometheus/prometheus.yml')).global.scrape_interval, 10);
    expect(Number(SHUTDOWN_SCRAPE_WAIT_MS) / 1000).toBe(2 * interval);
    const drainSeconds = (Number(SHUTDOWN_GRACE_MS) + Number(SHUTDOWN_SCRAPE_WAIT_MS)) / 1000;
    const preStopSeconds = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    expect(pod.terminationGracePeriodSeconds).toBe(preStopSeconds + drainSeconds + 5);
  });

  it('only the autoscaler sets the number of API pods, and the disruption budget leaves at least one', () => {
    expect(only<IDeployment>('base', 'Deployment', 'api').spec).not.toHaveProperty('replicas');
    const autoscaler = only<IHorizontalPodAutoscaler>('base', 'HorizontalPodAutoscaler', 'api').spec;
    expect(autoscaler?.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' });
    expect(autoscaler?.minReplicas).toBeGreaterThan(1);
    expect(autoscaler?.behavior?.scaleDown?.policies).toEqual([
      { type: 'Pods', value: 1, periodSeconds: 60 },
    ]);
    for (const name of ['api', 'prometheus']) {
      const budget = only<IPodDisruptionBudget>('base', 'PodDisruptionBudget', name).spec;
      expect(matches(budget?.selector?.matchLabels, workload('base', name))).toBe(true);
      expect(Number(budget?.maxUnavailable)).toBe(1);
    }
  });

  it('Prometheus has priority over other pods', () => {
    const { priorityClassName = '' } = workload('base', 'prometheus').pod;
    expect(only<IPriorityClass>('base', 'PriorityClass', priorityClassName).value).toBeGreaterThan(0);
  });

  it('shards are not retried, and a load whose command was killed ends within a day', () => {
    expect(only<IJob>('load', 'Job', 'loadgen').spec).toMatchObject({
      ...{ completionMode: 'Indexed', suspend: true, backoffLimitPerIndex: 0 },
      ...{ activeDeadlineSeconds: 86_400, ttlSecondsAfterFinished: 86_400 },
      template: { spec: { restartPolicy: 'Never' } },
    });
  });
});
