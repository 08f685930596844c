/**
 * The compose stack with ALERTS=1, under load, with an API that fails half of its requests: the notification for an operator,
 * and the attack surface. Each measure of docs/security.md is checked on each running container: a measure without a check
 * fails, and so does a check without a measure.
 */
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { parse, stringify } from 'yaml';
import { address } from '../../tools/generators/address.ts';
import { docker, type RunningCommand } from '../support/command.ts';
import { checks } from '../support/hardening.ts';
import { type Container, inspectContainers } from '../support/inspect.ts';
import { Project } from '../support/project.ts';
import { query } from '../support/prometheus.ts';
import { read } from '../support/repository.ts';
import { type HostServer, serveContainers } from '../support/server.ts';
import { eventually } from '../support/until.ts';

interface Notification {
  receiver: string;
  alerts: Alert[];
}

interface Alert {
  status: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** Whether the alert is about the failed requests. A busy machine may also spend the budget for slow ones, or block event loops. */
const isBurn = ({ labels }: Pick<Alert, 'labels'>, severity: string) =>
  labels.alertname === 'ErrorBudgetBurn' && labels.slo === 'availability' && labels.severity === severity;

const notifications: Notification[] = [];
let server: HostServer;
let project: Project;
let load: RunningCommand;
let containers: Container[];

beforeAll(async () => {
  server = await serveContainers(async (request, response) => {
    notifications.push(JSON.parse(await text(request)));
    response.end();
  });
  project = await Project.create('hardening');
  const { stderr } = await project.up({
    ALERTS: '1',
    ALERTMANAGER_CONFIG: configureReceivers(),
    SIMULATED_ERROR_RATIO: '0.5',
  });
  expect(stderr).toContain(`:${project.port('ALERTMANAGER_HOST_PORT')}/`);
  load = project.start('scripts/stack.sh', ['load', 'steady', '--duration', '20m', '--no-verify']);
  await project.generator();
  containers = await inspectContainers(await project.containers());
});

afterAll(async () => {
  server.close();
  load?.process.kill('SIGINT');
  await project.remove();
  await load?.result;
});

/** @returns the path of a copy of alertmanager.yml whose receivers all notify this test's server */
function configureReceivers(): string {
  const config = parse(read('prometheus/alertmanager.yml')) as { receivers: { name: string }[] };
  // The file itself sends no notification.
  expect(config.receivers).toEqual([{ name: 'page' }, { name: 'ticket' }, { name: 'info' }]);
  const webhook_configs = [{ url: `http://${server.address}/` }];
  const receivers = config.receivers.map(({ name }) => ({ name, webhook_configs }));
  const path = `${project.reports}/alertmanager.yml`;
  writeFileSync(path, stringify({ ...config, receivers }), { mode: 0o644 });
  return path;
}

describe('every running container', () => {
  it('is checked, and document and checks name the same measures', () => {
    // Grafana, if its image is available.
    const services = containers.map(({ service }) => service).filter((service) => service !== 'grafana');
    expect(services.sort()).toEqual(['alertmanager', 'api', 'loadgen', 'prometheus']);
    const [, table = ''] = /^## Hardening\n(.*?)^#/ms.exec(read('docs/security.md')) ?? [];
    const [header, ...measures] = [...table.matchAll(/^\| ([^|]+?) \|/gm)].map(([, measure]) => measure);
    expect([header, measures]).toEqual(['measure', Object.keys(checks)]);
  });

  it.each(Object.entries(checks))('%s', (_measure, check) => check(containers, project.name));
});

describe('an operator', () => {
  it('gets a page with the severity of the problem and a link to the runbook', async () => {
    const { receiver, alerts } = await eventually('a notification of ErrorBudgetBurn', async () =>
      notifications.find((each) => each.alerts.some((alert) => isBurn(alert, 'page'))),
    );
    expect(receiver).toBe('page');
    const burns = /, api spent its availability error budget \d+\.\d times as fast as allowed\.$/;
    expect(alerts.find((alert) => isBurn(alert, 'page'))).toMatchObject({
      status: 'firing',
      labels: { job: 'api' },
      annotations: {
        summary: expect.stringMatching(/^api burns its availability error budget/),
        description: expect.stringMatching(burns),
        runbook_url: `${address}/blob/main/docs/runbook.md#errorbudgetburn`,
      },
    });
  });

  interface Held extends Pick<Alert, 'labels'> {
    status: { inhibitedBy: string[] };
  }
  const api = () => `${project.url('ALERTMANAGER_HOST_PORT')}/api/v2/alerts`;
  const alerts = async () => (await axios.get<Held[]>(api())).data;

  it('gets no ticket about the same budget while the page fires, because it is inhibited', async () => {
    const tickets = await eventually('inhibited tickets', async () => {
      const found = (await alerts()).filter((alert) => isBurn(alert, 'ticket'));
      return found.length > 0 && found;
    });
    expect(tickets.filter(({ status }) => status.inhibitedBy.length === 0)).toEqual([]);
    const notified = notifications.flatMap(({ alerts }) => alerts);
    expect(notified.filter((alert) => isBurn(alert, 'ticket'))).toEqual([]);
  });

  it('gets the alerts of one cluster while the API of another is down', async () => {
    const labels = { job: 'elsewhere', severity: 'info' };
    const firing = [
      { ...labels, alertname: 'ApiDown', cluster: 'a' },
      { ...labels, alertname: 'Other', cluster: 'a' },
      { ...labels, alertname: 'Other', cluster: 'b' },
    ];
    const body = firing.map((alert) => ({ labels: alert }));
    await axios.post(api(), body);
    const inhibited = await eventually('an inhibited alert', async () => {
      const found = (await alerts()).filter(
        ({ labels, status }) => labels.job === 'elsewhere' && status.inhibitedBy.length > 0,
      );
      return found.length > 0 && found;
    });
    expect(inhibited).toEqual([expect.objectContaining({ labels: firing[1] })]);
  });

  it('finds the firing alert with amtool, and each severity goes to the receiver of the same name', async () => {
    const alertmanager = await project.container('alertmanager');
    const amtool = (...words: string[]) => docker('exec', alertmanager, 'amtool', ...words);
    expect(await amtool('alert', '--alertmanager.url=http://127.0.0.1:9093')).toMatch(/^ErrorBudgetBurn /m);
    const route = (severity: string) =>
      amtool('config', 'routes', 'test', '--config.file=/etc/alertmanager/alertmanager.yml', severity);
    const severities = ['severity=page', 'severity=ticket', 'severity=info', 'severity=""'];
    expect(await Promise.all(severities.map(route))).toEqual(['page', 'ticket', 'info', 'ticket']);
  });
});

describe('a client of the port of Prometheus', () => {
  /** A remote write as specified: one sample of intruder{job="api"}. */
  const sample = 'NvQ1AAo0ChQKCF9fbmFtZV9fEghpbnRydWRlcgoKCgNqb2ISA2FwaRIQCQAAAAAAAPA/EIDQ37SrMw==';
  const send = (method: string, path: string, data?: Buffer | string, headers: Record<string, string> = {}) =>
    axios.request({ method, url: `${project.prometheusUrl}${path}`, data, headers, validateStatus: null });

  it('cannot write a series through any receiver', async () => {
    const remoteWrite = await send('POST', '/api/v1/write', Buffer.from(sample, 'base64'), {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    });
    const refusal = expect.stringContaining('remote write receiver needs to be enabled');
    expect([remoteWrite.status, String(remoteWrite.data)]).toEqual([404, refusal]);
    const json = { 'content-type': 'application/json' };
    const otlp = await send('POST', '/api/v1/otlp/v1/metrics', '{"resourceMetrics": []}', json);
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

  it('leaves both targets up after these attempts', async () => {
    // A busy machine may fail a scrape.
    await eventually('both targets', async () => {
      const [sum] = await query(project.prometheusUrl, 'sum(up{job=~"api|prometheus"})');
      return sum?.value === 2;
    });
  });
});
