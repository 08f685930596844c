/**
 * From a failing API to a notification: the stack with ALERTS=1, a simulated fault, and the repository's own alertmanager.yml whose
 * receivers are given the address of a server in this test.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { parse, stringify } from 'yaml';
import { address } from '../../tools/generators/address.ts';
import { docker } from '../support/command.ts';
import { Project } from '../support/project.ts';
import { repositoryRoot } from '../support/repository.ts';
import { type HostServer, serveContainers } from '../support/server.ts';
import { eventually } from '../support/until.ts';

interface GettableAlert {
  labels: Record<string, string>;
  status: { inhibitedBy: string[] };
}

interface Notification {
  receiver: string;
  alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string> }[];
}

describe('half of all answers fail', () => {
  const notifications: Notification[] = [];
  let server: HostServer;
  let project: Project;

  beforeAll(async () => {
    server = await serveContainers(async (request, response) => {
      notifications.push(JSON.parse(await text(request)));
      response.end();
    });
    project = await Project.create('alerts');
    const { stderr } = await project.up({
      ALERTS: '1',
      ALERTMANAGER_CONFIG: configureReceivers(project, server.address),
      SIMULATED_ERROR_RATIO: '0.5',
    });
    expect(stderr).toContain(`:${project.port('ALERTMANAGER_HOST_PORT')}/`);
  });

  afterAll(async () => {
    server.close();
    await project.remove();
  });

  it('notifies the receiver of pages how bad it is and where to read on', async () => {
    const { receiver, alerts } = await eventually('a notification of ErrorBudgetBurn', async () =>
      notifications.find((each) => each.alerts.some(({ labels }) => labels.alertname === 'ErrorBudgetBurn')),
    );
    expect(receiver).toBe('page');
    expect(alerts).toContainEqual({
      ...alerts[0],
      status: 'firing',
      labels: expect.objectContaining({ alertname: 'ErrorBudgetBurn', severity: 'page', job: 'api' }),
      annotations: {
        summary: expect.stringMatching(/^api burns its error budget/),
        description: expect.stringMatching(
          / the availability budget of api went \d+\.\d times as fast as it may\.$/,
        ),
        runbook_url: `${address}/blob/main/docs/runbook.md#errorbudgetburn`,
      },
    });
  });

  it('inhibits the ticket about the same budget while the page fires', async () => {
    const tickets = await eventually('inhibited tickets', async () => {
      const alertmanagerUrl = project.url('ALERTMANAGER_HOST_PORT');
      const { data } = await axios.get<GettableAlert[]>(`${alertmanagerUrl}/api/v2/alerts`);
      const found = data.filter(
        ({ labels }) => labels.alertname === 'ErrorBudgetBurn' && labels.severity === 'ticket',
      );
      return found.length > 0 && found;
    });
    expect(tickets.filter(({ status }) => status.inhibitedBy.length === 0)).toEqual([]);
    expect(notifications.filter(({ receiver }) => receiver === 'ticket')).toEqual([]);
  });

  it('shows the firing alert to amtool, and routes severities to the receivers of their names', async () => {
    const alertmanager = await project.container('alertmanager');
    const amtool = (...words: string[]) => docker('exec', alertmanager, 'amtool', ...words);
    expect(await amtool('alert', '--alertmanager.url=http://127.0.0.1:9093')).toMatch(/^ErrorBudgetBurn /m);
    const route = (severity: string) =>
      amtool('config', 'routes', 'test', '--config.file=/etc/alertmanager/alertmanager.yml', severity);
    expect(
      await Promise.all(['severity=page', 'severity=ticket', 'severity=info', 'severity=""'].map(route)),
    ).toEqual(['page', 'ticket', 'info', 'ticket']);
  });
});

/** @returns the path of a copy of alertmanager.yml, each receiver of which notifies a server on this machine */
function configureReceivers(project: Project, address: string): string {
  const config = parse(readFileSync(`${repositoryRoot}/prometheus/alertmanager.yml`, 'utf8')) as {
    receivers: { name: string }[];
  };
  // As the file is, it sends no notification.
  expect(config.receivers).toEqual([{ name: 'page' }, { name: 'ticket' }, { name: 'info' }]);
  const webhook_configs = [{ url: `http://${address}/` }];
  const receivers = config.receivers.map(({ name }) => ({ name, webhook_configs }));
  const path = `${project.reports}/alertmanager.yml`;
  writeFileSync(path, stringify({ ...config, receivers }), { mode: 0o644 });
  return path;
}
