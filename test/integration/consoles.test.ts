/** The page that Prometheus renders itself, /consoles/index.html: its values after the lab, and how it looks in a browser. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, startBrowser } from '../support/browser.ts';
import { eventually, query } from '../support/prometheus-api.ts';
import { runGenerator, type Stack, startStack } from '../support/stack.ts';

/** For what needs scrapes: `eventually` waits for 30 s. */
const scrapesTimeoutMs = 40_000;

const HOSTILE = '<img src=x onerror="document.title=1">"\' {{ 1 }} \\';

let stack: Stack;
let address: string;
let hostile: Server | undefined;

beforeAll(async () => {
  stack = await startStack();
  address = `${stack.prometheusUrl}/consoles/index.html`;
  await runGenerator(
    stack.network,
    ...['run', 'lab', '--target', 'http://api:5001', '--prometheus', 'http://prometheus:9090'],
  );
}, 180_000);

afterAll(async () => {
  hostile?.close();
  hostile?.closeAllConnections();
  await stack?.stop();
});

async function read(url = address): Promise<string> {
  const { data, headers } = await axios.get<string>(url);
  expect(headers['content-type']).toMatch(/^text\/html/);
  return data;
}

const text = (html: string) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
const element = (html: string, id: string) =>
  text(new RegExp(`id="${id}"[^>]*>(.*?)</(?:p|table)>`, 's').exec(html)?.[1] ?? '');
/** The rows of a table as texts. */
const rows = (html: string, id: string) =>
  (new RegExp(`id="${id}">(.*?)</table>`, 's').exec(html)?.[1] ?? '')
    .split('</tr>')
    .map(text)
    .filter(Boolean);

describe('after the lab', () => {
  it("answers the lab's four questions", async () => {
    const html = await read();
    expect(['requests', 'most', 'errors', 'inprogress'].map((id) => element(html, id))).toEqual([
      '100',
      '40',
      '33',
      '0',
    ]);
    expect(text(html)).toContain('Most requested 40 post /products');
  });

  it(
    'ranks routes and codes, and says what is scraped and that nothing fires',
    async () => {
      const html = await read();
      expect(rows(html, 'routes').slice(0, 4)).toEqual([
        'post /products 40',
        'get /products 30',
        'get /cart 20',
        'post /cart 10',
      ]);
      expect(rows(html, 'codes')[0]).toBe('404 33');
      expect(rows(html, 'targets')).toEqual([
        'Target Scrape Samples',
        expect.stringMatching(/^api [\d.]+:8000 up [\d.]+m?s [\d,]+$/),
        expect.stringMatching(/^prometheus localhost:9090 up [\d.]+m?s [\d,]+$/),
      ]);
      expect(rows(html, 'firing')).toEqual(['Nothing is firing.']);
    },
    scrapesTimeoutMs,
  );

  it(
    'draws curves from what was asked',
    async () => {
      const html = await eventually('a curve', async () => {
        await axios.get(`${stack.apis[0]?.apiUrl}/cars`);
        const found = await read();
        return /<path class="p99" d="[^"]*M\d+ 0V100\.0h15V0/.test(found) ? found : undefined;
      });
      expect(html).toMatch(/<path class="ok" d="M/);
      expect(html).toMatch(/at most [\d.]+ req\/s/);
    },
    scrapesTimeoutMs,
  );

  it(
    'gives rate, share of 5xx and percentiles of each route',
    async () => {
      // The rules of rates and of percentiles are evaluated at different moments.
      const row = await eventually('rate and percentiles of the route', async () => {
        const found = rows(await read(), 'red').find((line) => line.startsWith('post /products'));
        return found && !found.includes('–') ? found : undefined;
      });
      expect(row).toMatch(/^post \/products 0\.\d\d 0% [\d.]+[mu]?s [\d.]+[mu]?s$/);
    },
    scrapesTimeoutMs,
  );

  it(
    'shows a hostile label value as text, wherever labels are shown',
    async () => {
      const escaped = HOSTILE.replace(/[\\"]/g, '\\$&');
      const lines = [
        ['http_requests_total', 'counter', `path="${escaped}",method="${escaped}"`],
        ['http_errors_total', 'counter', `code="${escaped}"`],
        ['ALERTS', 'gauge', `alertname="${escaped}",alertstate="firing",severity="${escaped}"`],
      ].map(([name, type, labels]) => `# TYPE ${name} ${type}\n${name}{${labels}} 1000\n`);
      hostile = createServer((_request, response) =>
        response.setHeader('content-type', 'text/plain; version=0.0.4').end(lines.join('')),
      ).listen(0);
      await once(hostile, 'listening');
      const { port } = hostile.address() as AddressInfo;
      const target = [{ targets: [`host.docker.internal:${port}`], labels: { job: 'api' } }];
      await stack.prometheus.copyContentToContainer([
        { content: JSON.stringify(target), target: '/etc/prometheus/targets/hostile.yml' },
      ]);
      const html = await eventually('the hostile series on the page', async () => {
        const found = await read();
        return found.includes('&lt;img src=x') ? found : undefined;
      });
      expect(rows(html, 'codes')).toContainEqual(expect.stringMatching(/ 1,000$/));
      expect(await query(stack.prometheusUrl, 'max(http_requests_total)')).toEqual([
        { labels: {}, value: 1000 },
      ]);
      expect(html).not.toContain('<img');
      expect(html).toContain('&lt;img src=x onerror=&#34;document.title=1&#34;&gt;&#34;&#39; {{ 1 }} \\');
    },
    scrapesTimeoutMs,
  );
});

const whereChromiumIs = chromiumPath === undefined ? describe.skip : describe;

whereChromiumIs('in a browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startBrowser(chromiumPath ?? '');
  }, 60_000);

  afterAll(() => browser?.close());

  async function open(width: number, colorScheme: 'light' | 'dark'): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    await page.goto(address);
    return page;
  }

  it.each([400, 800, 1440])(
    'needs no sideways scrolling at %d pixels',
    async (width) => {
      const page = await open(width, 'light');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await page.close();
    },
    scrapesTimeoutMs,
  );

  it(
    'runs nothing that a label brings along',
    async () => {
      const page = await open(800, 'light');
      expect(await page.title()).toBe('API overview');
      expect(await page.locator('img, script').count()).toBe(0);
      await page.close();
    },
    scrapesTimeoutMs,
  );

  it(
    'follows the light or dark scheme of the system',
    async () => {
      const grounds = await Promise.all(
        (['light', 'dark'] as const).map(async (scheme) => {
          const page = await open(800, scheme);
          const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
          await page.close();
          return ground;
        }),
      );
      expect(grounds).toEqual(['rgb(244, 245, 245)', 'rgb(17, 18, 23)']);
    },
    scrapesTimeoutMs,
  );

  it('renews itself', async () => {
    const page = await open(800, 'light');
    const loads: string[] = [];
    page.on('request', (request) => loads.push(request.url()));
    await eventually('a second load', async () => (loads.includes(address) ? true : undefined), 15_000);
    await page.close();
  }, 30_000);
});
