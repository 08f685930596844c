// Grafana itself, if its image is available: `make test` names the image in TEST_GRAFANA_IMAGE, and otherwise reports at its
// end that these tests were skipped. dashboards.test.ts covers what needs no Grafana.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import type { StartedTestContainer } from 'testcontainers';
import { dashboards } from '../../grafana/src/dashboards.ts';
import { fillVariables } from '../../grafana/src/promql.ts';
import { EVERYTHING } from '../support/dashboard-queries.ts';
import { describeInBrowser } from '../support/in-browser.ts';
import { type Stack, startGrafana, startStack, urlOf } from '../support/stack.ts';
import { eventually } from '../support/until.ts';

const image = process.env.TEST_GRAFANA_IMAGE;
const whereGrafanaIs = image === undefined ? describe.skip : describe;

interface QueryResponse {
  results: Record<
    string,
    { status: number; error?: string; frames?: { data: { values: (number | string)[][] } }[] }
  >;
}

/** The variables that Grafana's server sets itself. */
const OF_THE_SERVER = { __rate_interval: '$__rate_interval', __range: '$__range' };

whereGrafanaIs('Grafana with the provisioned data source and dashboards', () => {
  let stack: Stack;
  let grafana: StartedTestContainer;
  let url: string;
  let api: AxiosInstance;
  let log = '';
  let startedAtMs: number;

  beforeAll(async () => {
    stack = await startStack();
    startedAtMs = Date.now();
    await stack.load('lab');
    grafana = await startGrafana(stack.network, image ?? '');
    (await grafana.logs()).on('data', (line: Buffer) => {
      log += line.toString();
    });
    url = urlOf(grafana, 3000);
    api = axios.create({ baseURL: `${url}/api`, validateStatus: () => true });
  });

  afterAll(async () => {
    await grafana?.stop();
    await stack?.stop();
  });

  /** Not the health endpoint of the data source, which Grafana has for Prometheus only since 9.5. */
  const ask = async (queries: readonly object[]) => {
    const datasource = { uid: 'prometheus', type: 'prometheus' };
    const asked = queries.map((query, i) => ({ ...query, refId: `Q${i}`, datasource }));
    const { data } = await api.post<QueryResponse>('/ds/query', {
      from: 'now-5m',
      to: 'now',
      queries: asked,
    });
    return Object.values(data.results);
  };

  it('reaches Prometheus through the provisioned data source', async () => {
    const [sum] = await ask([{ expr: 'sum(http_requests_total)', instant: true, range: false }]);
    expect(sum?.frames?.[0]?.data.values[1]).toEqual([100]);
  });

  it('has exactly the dashboards of this repository, and shows the API overview first', async () => {
    const found = await eventually('all dashboards provisioned', async () => {
      const { data } = await api.get<{ uid: string }[]>('/search?type=dash-db');
      return data.length >= dashboards.length && data;
    });
    expect(found.map(({ uid }) => uid).sort()).toEqual(dashboards.map(({ uid }) => uid).sort());
    expect((await api.get('/dashboards/home')).data.dashboard).toMatchObject({ uid: 'api-overview' });
  });

  it.each(dashboards.map(({ title, panels = [] }) => ({ title, panels })))(
    'every panel of $title gets its data without an error',
    async ({ panels }) => {
      for (const panel of panels) {
        const targets = (('targets' in panel && panel.targets) || []) as { expr?: string }[];
        const queries = targets.map((target) => ({
          ...target,
          expr: fillVariables(target.expr ?? '', { ...EVERYTHING, ...OF_THE_SERVER }),
          ...{ intervalMs: 5000, maxDataPoints: 500 },
        }));
        const answers = queries.length === 0 ? [] : await ask(queries);
        expect([panel.title, answers.length]).toEqual([panel.title, queries.length]);
        expect(answers.flatMap(({ error }) => (error === undefined ? [] : [panel.title, error]))).toEqual([]);
      }
    },
  );

  it('gives anonymous users read access only, and has no administrator', async () => {
    const write = await api.post('/dashboards/db', { dashboard: { title: 'mine' } });
    expect([401, 403]).toContain(write.status);
    const asDefaultAdmin = await api.get('/org', { auth: { username: 'admin', password: 'admin' } });
    expect(asDefaultAdmin.status).toBe(401);
  });

  /** The list of docs/security.md. Versions differ in how they refuse. */
  const reads = [200, 302];
  const refused = [401, 403, 404];
  const proxy = '/api/datasources/proxy/uid/prometheus';

  it.each([
    ['GET', `${proxy}/api/v1/status/config`, reads],
    ['GET', `${proxy}/api/v1/targets`, reads],
    ['POST', `${proxy}/api/v1/labels`, reads],
    ['POST', `${proxy}/api/v1/write`, refused],
    ['POST', `${proxy}/api/v1/rules`, refused],
    ['POST', `${proxy}/api/v1/admin/tsdb/snapshot`, refused],
    ['PUT', `${proxy}/api/v1/admin/tsdb/snapshot`, refused],
    ['DELETE', `${proxy}/api/v1/series`, refused],
    ['POST', `${proxy}/-/reload`, refused],
    ['PUT', `${proxy}/-/quit`, refused],
    ['GET', '/api/admin/settings', refused],
    ['GET', '/api/users', refused],
    ['GET', '/metrics', refused],
    ['GET', '/api/ruler/grafana/api/v1/rules', refused],
    ['GET', '/api/alertmanager/grafana/api/v2/status', refused],
    ['POST', '/api/datasources', refused],
    ['POST', '/api/snapshots', refused],
  ])(
    'lets an anonymous viewer read Prometheus and dashboards, and nothing else: %s %s',
    async (method, path, expected) => {
      const asked = { method, url: `${url}${path}`, maxRedirects: 0, validateStatus: null };
      expect(expected).toContain((await axios.request(asked)).status);
    },
  );

  it('logs no warnings or errors about provisioning', () => {
    // Migrations of Grafana's own database also mention dashboards.
    const complaints = log
      .split('\n')
      .filter((line) => /level=(warn|error)/.test(line) && !line.includes('logger=migrator'));
    expect(complaints.filter((line) => /provision|dashboard|datasource/i.test(line))).toEqual([]);
  });

  describeInBrowser('in a browser', (browser) => {
    /** Opens a page tall enough for all of its panels and collects its errors. */
    async function open(path: string) {
      const page = await browser().newPage({ viewport: { width: 1440, height: 6000 } });
      const wrong: string[] = [];
      page.on('response', (response) => {
        if (response.status() >= 400) wrong.push(`${response.status()} ${response.url()}`);
      });
      page.on('pageerror', (error) => wrong.push(error.message));
      await page.goto(`${url}${path}`);
      return { page, wrong };
    }

    it.each(dashboards.map(({ uid, title, panels = [] }) => ({ uid: uid ?? '', title, panels })))(
      '$title shows every panel without an error',
      async ({ uid, panels }) => {
        const { page, wrong } = await open(`/d/${uid}`);
        for (const { title = '' } of panels.filter(({ type }) => type !== 'row')) {
          await page.getByText(title, { exact: true }).first().waitFor({ timeout: 30_000 });
        }
        expect(wrong).toEqual([]);
      },
    );

    it('draws the graphs of the previous run', async () => {
      const { page } = await open(`/d/api-overview?from=${startedAtMs - 30_000}&to=${Date.now()}`);
      const graphs = dashboards[0]?.panels?.filter(({ type }) => /timeseries|heatmap/.test(type ?? '')) ?? [];
      // uPlot draws on a canvas; a failed panel has none.
      const canvases = () => page.locator('canvas').count();
      await eventually('a canvas for each graph', async () => (await canvases()) >= graphs.length);
      await page.getByText('post /products').first().waitFor();
    });

    it('links a route in the table to its details', async () => {
      // A rate needs requests between two scrapes.
      const asking = setInterval(() => {
        void axios.get(`${stack.apiUrl}/products`).catch(() => undefined);
      }, 200);
      const { page } = await open('/d/operations?from=now-5m&to=now&refresh=5s');
      try {
        const link = page.locator('a[href*="/d/route?"]', { hasText: 'products' }).first();
        await link.waitFor({ timeout: 60_000 });
        expect(await link.getAttribute('href')).toMatch(
          /\/d\/route\?var-path=products&var-method=(get|post)&from=[^&]+&to=[^&]+/,
        );
      } finally {
        clearInterval(asking);
      }
    });
  });
});
