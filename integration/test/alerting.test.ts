/**
 * From a failing API to a person: the stack with ALERTS=1 and a simulated fault, and the notification that its local
 * receiver shows.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import {
  containersOf,
  createProject,
  docker,
  type Project,
  removeProject,
  stackCommand,
} from '../src/commands.ts';
import { eventually } from '../src/prometheus-api.ts';

interface GettableAlert {
  labels: Record<string, string>;
  status: { inhibitedBy: string[] };
}

const startTimeoutMs = 180_000;
const removeTimeoutMs = 90_000;

describe('half of all answers fail', () => {
  let project: Project;
  let receiverUrl: string;
  let alertmanagerUrl: string;

  beforeAll(async () => {
    project = await createProject('alerts');
    receiverUrl = `http://127.0.0.1:${project.ports.ALERT_RECEIVER_HOST_PORT}`;
    alertmanagerUrl = `http://127.0.0.1:${project.ports.ALERTMANAGER_HOST_PORT}`;
    const { exitCode, stderr } = await stackCommand(project, ['up'], {
      ALERTS: '1',
      SIMULATED_ERROR_RATIO: '0.5',
    });
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`${receiverUrl}/`),
    });
  }, startTimeoutMs);

  afterAll(() => removeProject(project), removeTimeoutMs);

  it('a person sees the page, how bad it is, and where to read on', async () => {
    const shown = await eventually(
      'the page of the alert receiver with ErrorBudgetBurn',
      async () => {
        const { data } = await axios.get<string>(receiverUrl);
        return data.includes('firing: ErrorBudgetBurn') ? data : undefined;
      },
      60_000,
    );
    expect(shown).toMatch(/The availability budget of api went \d+\.\d times as fast as it may\./i);
    expect(shown).toContain('<b>page</b>');
    const [, link = ''] = /<a href="([^"]+)">Runbook/.exec(shown) ?? [];
    expect(link).toBe('/docs/runbook.md#errorbudgetburn');
    expect((await axios.get<string>(receiverUrl + link)).data).toContain('<section id="errorbudgetburn">');
  }, 90_000);

  it('the log of the receiver has a line for it', async () => {
    const [receiver = ''] = await containersOf(project, 'alert-receiver');
    expect(await docker('logs', receiver)).toMatch(
      /^firing ErrorBudgetBurn to page: api burns its error budget/m,
    );
  });

  it('the ticket about the same budget is held back by the page', async () => {
    const tickets = await eventually('inhibited tickets', async () => {
      const { data } = await axios.get<GettableAlert[]>(`${alertmanagerUrl}/api/v2/alerts`);
      const found = data.filter(
        ({ labels }) => labels.alertname === 'ErrorBudgetBurn' && labels.severity === 'ticket',
      );
      return found.length > 0 ? found : undefined;
    });
    expect(tickets.filter(({ status }) => status.inhibitedBy.length === 0)).toEqual([]);
    expect((await axios.get<string>(receiverUrl)).data).not.toContain('<b>ticket</b>');
  });

  it('the severities are routed to the receivers of their names', async () => {
    const [alertmanager = ''] = await containersOf(project, 'alertmanager');
    const route = (severity: string) =>
      docker(
        'exec',
        alertmanager,
        'amtool',
        'config',
        'routes',
        'test',
        '--config.file=/etc/alertmanager/alertmanager.yml',
        severity,
      );
    expect(
      await Promise.all(['severity=page', 'severity=ticket', 'severity=info', 'severity=""'].map(route)),
    ).toEqual(['page', 'ticket', 'info', 'ticket']);
  });
});
