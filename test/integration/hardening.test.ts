/**
 * The compose stack, alerting and a generator at work included, as an intruder finds it: each measure of docs/security.md on each
 * running container, and what the published ports accept. A measure without a check fails, and so does a check without one.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import type { RunningCommand } from '../support/command.ts';
import { checks } from '../support/hardening.ts';
import { type Container, inspectContainers } from '../support/inspect.ts';
import { Project } from '../support/project.ts';
import { query } from '../support/prometheus.ts';
import { repositoryRoot } from '../support/repository.ts';
import { eventually } from '../support/until.ts';

const page = readFileSync(`${repositoryRoot}/docs/security.md`, 'utf8');
const [, table = ''] = /^## Hardening\n(.*?)^#/ms.exec(page) ?? [];
const measures = [...table.matchAll(/^\| ([^|]+?) \|/gm)]
  .map(([, measure = '']) => measure)
  .filter((measure) => measure !== 'measure');

let project: Project;
let load: RunningCommand;
let containers: Container[];

beforeAll(async () => {
  project = await Project.create('hardening');
  await project.up({ ALERTS: '1' });
  load = project.start('scripts/stack.sh', ['load', 'steady', '--duration', '10m', '--no-verify']);
  await eventually('the generator to run', async () => (await project.containers('loadgen'))[0]);
  containers = await inspectContainers(await project.containers());
});

afterAll(async () => {
  load?.process.kill('SIGINT');
  await project.remove();
  await load?.result;
});

describe('every running container', () => {
  it('is looked at, and documents and checks name the same measures', () => {
    // Grafana, where its image is.
    const services = containers.map(({ service }) => service).filter((service) => service !== 'grafana');
    expect(services.sort()).toEqual(['alertmanager', 'api', 'loadgen', 'prometheus']);
    expect(measures).toEqual(Object.keys(checks));
  });

  it.each(Object.entries(checks))('%s', (_measure, check) => check(containers, project.name));
});

describe('a client that reaches the port of Prometheus', () => {
  /** A remote write as the specification defines it: one sample of intruder{job="api"}. */
  const sample = 'NvQ1AAo0ChQKCF9fbmFtZV9fEghpbnRydWRlcgoKCgNqb2ISA2FwaRIQCQAAAAAAAPA/EIDQ37SrMw==';
  const send = (method: string, path: string, data?: Buffer | string, headers: Record<string, string> = {}) =>
    axios.request({ method, url: `${project.prometheusUrl}${path}`, data, headers, validateStatus: null });

  it('cannot write a series, by any receiver', async () => {
    const remoteWrite = await send('POST', '/api/v1/write', Buffer.from(sample, 'base64'), {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    });
    expect([remoteWrite.status, String(remoteWrite.data)]).toEqual([
      404,
      expect.stringContaining('remote write receiver needs to be enabled'),
    ]);
    const otlp = await send('POST', '/api/v1/otlp/v1/metrics', '{"resourceMetrics": []}', {
      'content-type': 'application/json',
    });
    expect(otlp.status).toBe(404);
    expect(await query(project.prometheusUrl, 'count({__name__=~"intruder.*"})')).toEqual([]);
  });

  it.each([
    ['POST', '/api/v1/admin/tsdb/delete_series?match[]=up', 'admin APIs disabled'],
    ['POST', '/api/v1/admin/tsdb/clean_tombstones', 'admin APIs disabled'],
    ['POST', '/api/v1/admin/tsdb/snapshot', 'admin APIs disabled'],
    ['POST', '/-/reload', 'Lifecycle API is not enabled'],
    ['PUT', '/-/quit', 'Lifecycle API is not enabled'],
  ])('cannot manage it: %s %s', async (method, path, refusal) => {
    const { status, data } = await send(method, path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(data)).toContain(refusal);
  });

  it('finds what was there, after all that', async () => {
    expect(await query(project.prometheusUrl, 'sum(up{job=~"api|prometheus"})')).toEqual([
      { labels: {}, value: 2 },
    ]);
  });
});
