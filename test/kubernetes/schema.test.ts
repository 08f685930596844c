/** Every object of every folder is one that the API of Kubernetes, or the Prometheus Operator, takes. */
import { describe, expect, it } from '@jest/globals';
import { FOLDERS, objectsOf, whereKubectlIs } from './rendered.ts';
import { problemsOf } from './schema.ts';

describe('the strict validator', () => {
  const container = { name: 'a', image: 'b', resources: { limits: { memory: '1Gi' } } };
  const deployment = (pod: object, spec: object = {}) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', labels: { any: 'thing' } },
    spec: { selector: { matchLabels: { any: 'thing' } }, template: { spec: pod }, ...spec },
  });

  it('takes what the API takes', async () => {
    expect(await problemsOf(deployment({ containers: [container], nodeSelector: { any: 'thing' } }))).toEqual(
      [],
    );
  });

  const noSuchField = (path: string) => `${path}: no such field`;
  it.each([
    [{ ...deployment({ containers: [container] }), sepc: {} }, noSuchField('/sepc')],
    [deployment({ containers: [container] }, { replica: 2 }), noSuchField('/spec/replica')],
    [deployment({ containers: [container], hostname_: 'a' }), noSuchField('/spec/template/spec/hostname_')],
    [
      deployment({ containers: [{ ...container, livenessProbe: { httpGet: { port: 1, pfad: '/' } } }] }),
      noSuchField('/spec/template/spec/containers/0/livenessProbe/httpGet/pfad'),
    ],
    [deployment({ containers: [container] }, { replicas: 'two' }), 'spec/replicas must be integer'],
    [deployment({ containers: [{ image: 'b' }] }), 'containers/0 must have required property name'],
    [{ apiVersion: 'apps/v1', kind: 'Deploiment' }, 'the API has no Deploiment in apps/v1'],
  ])('refuses %j', async (object, problem) => {
    expect(await problemsOf(object)).toEqual([expect.stringContaining(problem)]);
  });

  it('knows the objects of the Prometheus Operator', async () => {
    const monitor = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: { name: 'a' },
      spec: { selector: {}, endpoints: [{ port: 'metrics', intervall: '5s' }] },
    };
    expect(await problemsOf(monitor)).toEqual(['/spec/endpoints/0/intervall: no such field']);
  });
});

whereKubectlIs('everything in kubernetes/', () => {
  it.each(FOLDERS)('is as the API wants it: %s', async (folder) => {
    const objects = objectsOf(folder);
    expect(objects.length).toBeGreaterThan(2);
    const problems = await Promise.all(
      objects.map(async (object) =>
        (await problemsOf(object)).map((problem) => `${object.kind} ${object.metadata.name}: ${problem}`),
      ),
    );
    expect(problems.flat()).toEqual([]);
  });
});
