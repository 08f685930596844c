// Grafana itself, where its image can be had: `make test` names the image in TEST_GRAFANA_IMAGE, and says at its end that
// these tests were left out where there is none. What needs no Grafana is in dashboards.test.ts.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import type { StartedTestContainer } from 'testcontainers';
import { dashboards } from '../../grafana/src/dashboards.ts';
import { eventually } from '../src/prometheus-api.ts';
import { runGenerator, type Stack, startGrafana, startStack } from '../src/stack.ts';

const image = process.env.TEST_GRAFANA_IMAGE;
const whereGrafanaIs = image === undefined ? describe.skip : describe;

interface QueryResponse {
  results: Record<string, { status: number; error?: string; frames?: unknown[] }>;
}

whereGrafanaIs('Grafana with the provisioned data source and dashboards', () => {
  let stack: Stack;
  let grafana: StartedTestContainer;
  let api: AxiosInstance;
  let log = '';

  beforeAll(async () => {
    stack = await startStack();
    await runGenerator(
      stack.network,
      ...['run', 'lab', '--target', 'http://api:5001', '--prometheus', 'http://prometheus:9090'],
    );
    grafana = await startGrafana(stack.network, image ?? '');
    (await grafana.logs()).on('data', (line: Buffer) => {
      log += line.toString();
    });
    api = axios.create({
      baseURL: `http://${grafana.getHost()}:${grafana.getMappedPort(3000)}/api`,
      validateStatus: () => true,
    });
  }, 180_000);

  afterAll(async () => {
    await grafana?.stop();
    await stack?.stop();
  });

  it('reaches Prometheus through the provisioned data source', async () => {
    const health = await api.get('/datasources/uid/prometheus/health');
    expect(health.data).toMatchObject({ status: 'OK' });
  });

  it('has exactly the dashboards of this repository', async () => {
    const found = await eventually('all dashboards provisioned', async () => {
      const { data } = await api.get<{ uid: string }[]>('/search?type=dash-db');
      return data.length >= dashboards.length ? data : undefined;
    });
    expect(found.map(({ uid }) => uid).sort()).toEqual(dashboards.map(({ uid }) => uid).sort());
  });

  it('shows the API overview first', async () => {
    const home = await api.get('/dashboards/home');
    expect(home.data.dashboard).toMatchObject({ uid: 'api-overview' });
  });

  const panels = dashboards.flatMap((dashboard) =>
    (dashboard.panels ?? []).flatMap((panel) =>
      'targets' in panel && panel.targets
        ? [{ name: `${dashboard.title} / ${panel.title}`, targets: panel.targets }]
        : [],
    ),
  );

  it.each(panels)('$name is answered without an error', async ({ targets }) => {
    const queries = targets.map((target, i) => ({
      ...target,
      refId: `Q${i}`,
      datasource: { uid: 'prometheus', type: 'prometheus' },
      expr: fillGrafanaVariables((target as { expr?: string }).expr ?? ''),
      intervalMs: 5000,
      maxDataPoints: 500,
    }));
    const response = await api.post<QueryResponse>('/ds/query', { from: 'now-5m', to: 'now', queries });
    expect(response.status).toBe(200);
    const errors = Object.values(response.data.results).filter(({ error }) => error !== undefined);
    expect(errors).toEqual([]);
  });

  it('lets nobody change anything: anonymous people are viewers, and there is no administrator', async () => {
    const write = await api.post('/dashboards/db', { dashboard: { title: 'mine' } });
    expect([401, 403]).toContain(write.status);
    const asDefaultAdmin = await api.get('/org', { auth: { username: 'admin', password: 'admin' } });
    expect(asDefaultAdmin.status).toBe(401);
  });

  it('has nothing to complain about in its log', () => {
    const complaints = log.split('\n').filter((line) => /level=(warn|error)/.test(line));
    expect(complaints.filter((line) => /provision|dashboard|datasource/i.test(line))).toEqual([]);
  });
});

/** Grafana's server fills `$__` variables itself; those of the dashboard are filled by the browser, here by hand. */
function fillGrafanaVariables(expression: string): string {
  return expression.replace(/\$\{?(job|instance)\b(:\w+)?\}?/g, '.+');
}
