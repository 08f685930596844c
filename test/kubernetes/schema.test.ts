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

  it.each([
    ['at the top', { ...deployment({ containers: [container] }), sepc: {} }, '/sepc'],
    ['in the specification', deployment({ containers: [container] }, { replica: 2 }), '/spec/replica'],
    ['in the pod', deployment({ containers: [container], hostname_: 'a' }), '/spec/template/spec/hostname_'],
    [
      'in a container',
      deployment({ containers: [{ ...container, imagePullPolice: 'Never' }] }),
      '/spec/template/spec/containers/0/imagePullPolice',
    ],
    [
      'in a probe',
      deployment({ containers: [{ ...container, livenessProbe: { httpGet: { port: 1, pfad: '/' } } }] }),
      '/spec/template/spec/containers/0/livenessProbe/httpGet/pfad',
    ],
  ])('refuses a field that the API does not know, %s', async (_where, object, path) => {
    expect(await problemsOf(object)).toEqual([`${path}: no such field`]);
  });

  it('refuses a value of the wrong type', async () => {
    const [problem] = await problemsOf(deployment({ containers: [container] }, { replicas: 'two' }));
    expect(problem).toContain('spec/replicas must be integer');
  });

  it('refuses a field that is missing', async () => {
    const [problem] = await problemsOf(deployment({ containers: [{ image: 'b' }] }));
    expect(problem).toContain('containers/0 must have required property name');
  });

  it('refuses a kind that the API does not have', async () => {
    expect(await problemsOf({ apiVersion: 'apps/v1', kind: 'Deploiment' })).toEqual([
      'the API has no Deploiment in apps/v1',
    ]);
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
