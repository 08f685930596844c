/** Every object of every folder is valid for the API of Kubernetes or of the Prometheus Operator. */
import { expect, it } from '@jest/globals';
import { FOLDERS, objectsOf, whereKubectlIs } from './rendered.ts';
import { problemsOf } from './schema.ts';

const container = { name: 'a', image: 'b', resources: { limits: { memory: '1Gi' } } };
const deployment = (pod: object, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a', labels: { any: 'thing' } },
  spec: { selector: { matchLabels: { any: 'thing' } }, template: { spec: pod }, ...spec },
});
const monitor = (endpoint: object) => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  metadata: { name: 'a' },
  spec: { selector: {}, endpoints: [endpoint] },
});

it.each([
  [deployment({ containers: [container], nodeSelector: { any: 'thing' } }), []],
  [{ ...deployment({ containers: [container] }), sepc: {} }, ['/sepc: no such field']],
  [
    deployment({ containers: [{ ...container, livenessProbe: { httpGet: { port: 1, pfad: '/' } } }] }),
    ['/spec/template/spec/containers/0/livenessProbe/httpGet/pfad: no such field'],
  ],
  [deployment({ containers: [container] }, { replicas: 'two' }), ['spec/replicas must be integer']],
  [deployment({ containers: [{ image: 'b' }] }), ['containers/0 must have required property name']],
  [{ apiVersion: 'apps/v1', kind: 'Deploiment' }, ['the API has no Deploiment in apps/v1']],
  [monitor({ port: 'metrics', interval: '5s' }), []],
  [monitor({ port: 'metrics', intervall: '5s' }), ['/spec/endpoints/0/intervall: no such field']],
])('the strict validator reports for %j: %j', async (object, problems) => {
  expect(await problemsOf(object)).toEqual(problems.map((problem) => expect.stringContaining(problem)));
});

whereKubectlIs.each(FOLDERS)('kubernetes/%s', (folder) => {
  it('contains only valid objects', async () => {
    const objects = objectsOf(folder);
    expect(objects).not.toEqual([]);
    for (const object of objects)
      expect([object.kind, object.metadata.name, await problemsOf(object)]).toEqual([
        ...[object.kind, object.metadata.name, []],
      ]);
  });
});
