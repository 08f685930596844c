// The two labs, from the first request to the last answer, through Prometheus' HTTP API and on the page that Prometheus renders,
// /consoles/index.html. The tests build on each other.
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import type { Page } from 'playwright-core';
import { describeInBrowser } from '../support/in-browser.ts';
import { expectValue, nextScrape, query, targetsOf } from '../support/prometheus.ts';
import { type HostServer, serveExposition } from '../support/server.ts';
import { useStack } from '../support/stack.ts';
import { eventually, PATIENCE_MS } from '../support/until.ts';

const HOSTILE = '<img src=x onerror="document.title=1">"\' {{ 1 }} \\';

const stack = useStack();
let address: string;
let hostile: HostServer | undefined;

beforeAll(async () => {
  address = `${stack.prometheusUrl}/consoles/index.html`;
  expect(await stack.load('lab')).toMatchObject({ exitCode: 0 });
});

afterAll(() => hostile?.close());

const expectOf = (expression: string, value: number) => expectValue(stack.prometheusUrl, expression, value);

describe('after the traffic of the lab', () => {
  it('the combination of path and method that received the most requests is post, products', async () => {
    const [largest] = await eventually('a series', async () => {
      const found = await query(stack.prometheusUrl, 'topk(1, http_requests_total)');
      return found.length > 0 && found;
    });
    expect(largest?.labels).toMatchObject({ path: 'products', method: 'post' });
  });

  it.each([
    ['sum(http_requests_total)', 100],
    ['http_requests_total{path="products",method="post"}', 40],
    ['http_requests_total{path="products",method="get"}', 30],
    ['http_requests_total{path="cart",method="get"}', 20],
    ['http_requests_total{path="cart",method="post"}', 10],
    ['http_requests_total{path="cars",method="get"}', 0],
    ['http_requests_total{path="cars",method="post"}', 0],
    ['http_requests_total{path="cars/:id",method="get"}', 0],
    ['http_requests_total{path="cars/:id",method="patch"}', 0],
    ['http_requests_total{path="cars/:id",method="delete"}', 0],
    ['http_errors_total{code="404"}', 33],
    ['sum(http_errors_total)', 33],
    ['inprogress_requests', 0],
    ['sum(http_request_duration_seconds_count)', 133],
    ['sum(http_request_duration_seconds_count{path="unmatched"})', 33],
    ['up{job="prometheus"}', 1],
    // The bound in the notation of OpenMetrics, which Prometheus requests.
    ['http_request_duration_seconds_bucket{path="products",method="get",code="200",le="1.0"}', 30],
  ])('%s is %i', expectOf);

  it('the job api has one target, and it is up', async () => {
    const target = await eventually('a target that is up', async () => {
      const targets = await targetsOf(stack.prometheusUrl, 'api');
      expect(targets).toHaveLength(1);
      return targets[0]?.health === 'up' && targets[0];
    });
    expect(target.lastError).toBe('');
  });
});

it('scrapes on either port and health checks change no count', async () => {
  const { apiUrl, metricsUrl } = stack;
  const urls = ['/', '/metrics', '/healthz', '/readyz'].map((path) => metricsUrl + path);
  for (let i = 0; i < 5; i++) {
    for (const url of [`${apiUrl}/metrics`, ...urls]) expect((await axios.get(url)).status).toBe(200);
  }
  await nextScrape(stack.prometheusUrl);
  await expectOf('sum(http_requests_total)', 100);
  await expectOf('sum(http_errors_total)', 33);
  await expectOf('sum(http_request_duration_seconds_count)', 133);
  await expectOf('inprogress_requests', 0);
});

async function read(url = address): Promise<string> {
  const { data, headers } = await axios.get<string>(url);
  expect(headers['content-type']).toMatch(/^text\/html/);
  return data;
}

/** The page between two scrapes that succeeded: a failed scrape, on a busy machine, hides the numbers of its target. */
const readWhole = (url = address) =>
  eventually('a page with all numbers', async () => {
    const html = await read(url);
    const up = rows(html, 'targets').filter((row) => row.includes(' up '));
    return up.length === 2 && element(html, 'requests') !== '–' && html;
  });

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

describe('the page of Prometheus', () => {
  it("answers the lab's four questions", async () => {
    const html = await readWhole();
    const answers = ['requests', 'most', 'errors', 'inprogress'].map((id) => element(html, id));
    expect(answers).toEqual(['100', '40', '33', '0']);
    expect(text(html)).toContain('Most requested 40 post /products');
  });

  it('ranks routes and codes, shows targets, reports that nothing fires, and reloads itself', async () => {
    const html = await readWhole();
    expect(html).toMatch(/<meta http-equiv="refresh" content="\d+">/);
    const ranked = ['post /products 40', 'get /products 30', 'get /cart 20', 'post /cart 10'];
    expect(rows(html, 'routes').slice(0, 4)).toEqual(ranked);
    expect(rows(html, 'codes')[0]).toBe('404 33');
    expect(rows(html, 'targets')).toEqual([
      'Target Scrape Samples',
      expect.stringMatching(/^api [\d.]+:8000 up [\d.]+m?s [\d,]+$/),
      expect.stringMatching(/^prometheus localhost:9090 up [\d.]+m?s [\d,]+$/),
    ]);
    // A machine that is busy with other tests may block an event loop and slow down responses.
    const isOfMachine = (row: string) => /EventLoopBlocked|ErrorBudgetBurn.* latency/.test(row);
    const firing = rows(html, 'firing').filter((row) => !isOfMachine(row));
    expect(firing.length > 0 ? firing : ['Nothing is firing.']).toEqual(['Nothing is firing.']);
  });

  it('draws curves of the requests', async () => {
    const html = await eventually('a curve', async () => {
      await axios.get(`${stack.apiUrl}/cars`);
      const found = await read();
      const isDrawn = /<path class="p99" d="[^"]*M\d+ 0V0\.[\de-]+h-15V0/.test(found);
      return isDrawn && /<path class="ok" d="M/.test(found) && found;
    });
    expect(html).toMatch(/at most [\d.]+ req\/s/);
  });

  it('shows rate, share of 5xx and percentiles of each route', async () => {
    // The rules of rates and of percentiles are evaluated at different moments.
    const row = await eventually('rate and percentiles of the route', async () => {
      const found = rows(await read(), 'red').find((line) => line.startsWith('post /products'));
      return !found?.includes('–') && found;
    });
    expect(row).toMatch(/^post \/products 0\.\d\d 0% [\d.]+[mu]?s [\d.]+[mu]?s$/);
  });

  it('links every number to its query, which returns one series', async () => {
    const html = await readWhole(`${address}?still=1`);
    expect(html).not.toContain('http-equiv="refresh"');
    const cells = [...html.matchAll(/<(?:td class="n"|p class="number"[^>]*)>(.*?)<\/(?:td|p)>/g)];
    const numbers = cells.map(([, cell = '']) => cell).filter((cell) => cell !== '–');
    expect(numbers.length).toBeGreaterThan(30);
    for (const number of numbers) {
      const [, query] = /^<a href="query\.html(\?expr=[^"]+)">[\d.,]+(?:%|[mu]?s)?<\/a>$/.exec(number) ?? [];
      expect({ number, query }).toEqual({ number, query: expect.any(String) });
      await eventually(`one series of ${number}`, async () => {
        const answer = await read(address.replace('index.html', `answer.html${query}`));
        return answer.split('<tr>').length - 1 === 1;
      });
    }
  });

  it.each(['ok', 'client', 'server', 'p99', 'p50'])('links the curve "%s" to its query', async (name) => {
    /** The values of a curve by its CSS class, from the oldest on. */
    const curve = (html: string, of: string) => {
      const [, path = ''] = new RegExp(`<path class="${of}" d="([^"]+)"`).exec(html) ?? [];
      const points = [...path.matchAll(/M(\d+) 0V([^h]+)h-15V0/g)].map(([, time, value]) => [time, value]);
      return points.sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => value);
    };
    // Only curves that share a graph have a key.
    const before = name === 'ok' ? '<figcaption><span>[^<]+</span>' : `<i class="key ${name}"></i>`;
    const link = new RegExp(`${before}<a href="query\\.html(\\?expr=[^"]+)&amp;range=15m">`);
    // The query page draws only what has a value now, and the two pages may be rendered before and after a scrape.
    await eventually(`the same curve "${name}" on both pages`, async () => {
      await axios.get(`${stack.apiUrl}/cars`);
      const html = await read();
      const [, query = 'no link'] = link.exec(html) ?? [];
      const answer = await read(address.replace('index.html', `answer.html${query}&range=15m`));
      const drawn = curve(html, name);
      return drawn.length > 0 && isDeepStrictEqual(curve(answer, 'ok'), drawn);
    });
  });

  it('shows a hostile label value as text everywhere', async () => {
    const escaped = HOSTILE.replace(/[\\"]/g, '\\$&');
    const lines = [
      ['http_requests_total', 'counter', `path="${escaped}",method="${escaped}"`],
      ['http_errors_total', 'counter', `code="${escaped}"`],
      ['ALERTS', 'gauge', `alertname="${escaped}",alertstate="firing",severity="${escaped}"`],
    ].map(([name, type, labels]) => `# TYPE ${name} ${type}\n${name}{${labels}} 1000\n`);
    hostile = await serveExposition(lines.join(''));
    const target = [{ targets: [hostile.address], labels: { job: 'api' } }];
    await stack.addTargets('hostile', JSON.stringify(target));
    // A page that is rendered during the scrape shows only some of the series.
    const html = await eventually('all hostile series on the page', async () => {
      const found = await read();
      const isCounted = rows(found, 'codes').some((row) => row.endsWith(' 1,000'));
      return isCounted && found.split('&lt;img src=x').length > 3 && found;
    });
    await expectOf('max(http_requests_total)', 1000);
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;img src=x onerror=&#34;document.title=1&#34;&gt;&#34;&#39; {{ 1 }} \\');
  });
});

describeInBrowser('in a browser', (browser) => {
  async function open(width: number, colorScheme: 'light' | 'dark'): Promise<Page> {
    const page = await browser().newPage({ viewport: { width, height: 900 }, colorScheme });
    page.setDefaultNavigationTimeout(PATIENCE_MS);
    await page.goto(address);
    return page;
  }

  it.each([
    [400, 'light', 'rgb(244, 245, 245)'],
    [800, 'dark', 'rgb(17, 18, 23)'],
    [1440, 'light', 'rgb(244, 245, 245)'],
  ] as const)(
    'needs no horizontal scrolling at %d pixels, follows the %s scheme of the system, and executes no label values',
    async (width, scheme, ground) => {
      const page = await open(width, scheme);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(ground);
      expect(await page.title()).toBe('API overview');
      expect(await page.locator('img, script').count()).toBe(0);
    },
  );

  it('wraps no label below the curves at 800 pixels', async () => {
    const page = await open(800, 'light');
    const lines = await page.evaluate(`[...document.querySelectorAll('figcaption span')].map((span) => {
      const text = document.createRange();
      text.selectNodeContents(span);
      return [span.textContent, text.getClientRects().length];
    })`);
    expect(lines).toContainEqual(['now', 1]);
    expect((lines as [string, number][]).filter(([, number]) => number !== 1)).toEqual([]);
  });
});
