// The page to query Prometheus, /consoles/query.html, in a browser. It shows the same values as the HTTP API.
import { beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import type { Frame, Page } from 'playwright-core';
import { describeInBrowser } from '../support/in-browser.ts';
import { query, queryValue } from '../support/prometheus.ts';
import { useStack } from '../support/stack.ts';
import { eventually, PATIENCE_MS } from '../support/until.ts';

const HOSTILE =
  '<img src=x onerror="document.title=1">"\' {{ 1 }} $1 </title><script>document.title=1</script>';
const QUOTED = JSON.stringify(HOSTILE);
/** Both the query and a label's value are hostile. */
const HOSTILE_QUERY = `label_replace(vector(7), "hostile", ${QUOTED.replace('$', '$$$$')}, "", "")`;

const stack = useStack();
beforeAll(async () => {
  expect(await stack.load('lab')).toMatchObject({ exitCode: 0 });
});

const pageOf = (expr: string, range = '15m') =>
  `${stack.prometheusUrl}/consoles/query.html?${new URLSearchParams({ expr, range })}`;

describeInBrowser('in a browser', (browser) => {
  async function open(url: string, width = 1200, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const page = await browser().newPage({ viewport: { width, height: 900 }, colorScheme });
    page.setDefaultNavigationTimeout(PATIENCE_MS);
    await page.goto(url);
    return page;
  }

  /** The frame of the page whose address contains `address`. Frames that load lazily appear after the page. */
  const frameOf = (page: Page, address: string): Promise<Frame> =>
    eventually(`a frame with ${address}`, async () => {
      const frame = page.frames().find((candidate) => candidate.url().includes(address));
      await frame?.waitForLoadState('load');
      return frame;
    });

  const wordsOf = async (frame: Frame, element: string) => (await frame.locator(element).textContent()) ?? '';

  /** Waits until the field for the query has the focus, which it gets after the page has loaded. */
  const hasFocus = (page: Page) => page.locator('[name=expr]:focus').waitFor();

  const answerOf = (page: Page) => frameOf(page, 'answer.html');

  async function rows(page: Page): Promise<{ series: string; value: number }[]> {
    const lines = await (await answerOf(page)).locator('tr').all();
    const cells = await Promise.all(lines.map((line) => line.locator('td').allInnerTexts()));
    return cells.map(([series = '', value = '']) => ({
      series: series.trim(),
      value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value),
    }));
  }

  /**
   * Compares the rows of a page with those of the API. Reloads the page, because a scrape that fails between the two, on a busy
   * machine, hides the series.
   */
  const expectRows = (page: Page, expected: () => Promise<unknown> | unknown) =>
    eventually('the rows of the API', async () => {
      await page.reload();
      const before = await expected();
      expect(await rows(page)).toEqual(before);
      return true;
    });

  const toSeries = ({ __name__ = '', ...labels }: Readonly<Record<string, string>>) =>
    `${__name__}{${Object.keys(labels)
      .sort()
      .map((name) => `${name}="${labels[name]}"`)
      .join(', ')}}`;

  it.each([
    'sum(http_requests_total)',
    'sort_desc(http_requests_total)',
    'http_errors_total{code="404"} # of the lab',
    '{__name__=~"process_start_time_seconds|http_server_drained", job="api"}',
    'process_start_time_seconds{job="api"} * 1e15',
    'vector(1)',
    '0.1 + 0.2',
    '-1.5e-9',
    '1e30',
    '123456789.5',
    '1 / 0',
    '0 / 0',
    'vector(1) or label_replace(vector(2), "t", "1", "", "")',
    'nothing_of_this_name',
    HOSTILE_QUERY,
  ])('shows the series and values of %s as the API returns them', async (expr) => {
    const expected = async () => {
      const { data } = await axios.get(`${stack.prometheusUrl}/api/v1/query`, { params: { query: expr } });
      if (data.data.resultType === 'scalar')
        return [{ series: '{}', value: Number(data.data.result[1].replace('Inf', 'Infinity')) }];
      const samples = await query(stack.prometheusUrl, expr);
      return samples.map(({ labels, value }) => ({ series: toSeries(labels), value }));
    };
    const page = await open(pageOf(expr));
    await expectRows(page, expected);
    expect(await page.title()).toBe(expr);
    expect(await page.locator('[name=expr]').inputValue()).toBe(expr);
  });

  it('shows native histograms as quantiles, next to other series', async () => {
    const histogram = 'sum by (path) (http_request_duration_seconds{path="products"})';
    const expected = async () => {
      const quantiles = [0.5, 0.9, 0.99].map(async (quantile) => ({
        series: `{path="products", quantile="${quantile}"}`,
        value: await queryValue(stack.prometheusUrl, `histogram_quantile(${quantile}, ${histogram})`),
      }));
      return [{ series: '{}', value: 5 }, ...(await Promise.all(quantiles))];
    };
    const page = await open(pageOf(`${histogram} or vector(5)`));
    await expectRows(page, expected);
  });

  it.each([
    ['sum(http_requests_total)', '15m', 900, 15],
    ['-sum(http_errors_total)', '1h', 3_600, 60],
  ])('draws the values that the API returns for %s over %s', async (expr, range, seconds, step) => {
    const page = await open(pageOf(expr, range));
    // A step, which is a multiple of its width, must follow the start of the stack.
    await eventually('a curve with the values of the API', async () => {
      await page.reload();
      const answer = await answerOf(page);
      const path = (await answer.locator('path').getAttribute('d')) ?? '';
      const [, now] = /at ([\d-]+ [\d:]+) UTC/.exec(await wordsOf(answer, 'caption')) ?? [];
      const begin = Date.parse(`${now}Z`) / 1000 - seconds;
      const drawn = [...path.matchAll(/M(\d+) 0V([\d.e+-]+)h-(\d+)V0/g)].map(([, time, value, width]) => {
        expect(Number(width)).toBe(step);
        // The caption has no fraction of the second; steps are multiples of their width.
        return [Math.round((Number(time) - 1_000_000 + begin) / step) * step, Number(value)] as const;
      });
      expect(drawn).not.toEqual([]);
      const times = drawn.map(([time]) => time);
      const params = { query: expr, start: Math.min(...times), end: Math.max(...times), step };
      const { data } = await axios.get(`${stack.prometheusUrl}/api/v1/query_range`, { params });
      const values: [number, string][] = data.data.result[0].values;
      // The page shows -0 as 0.
      const expected = values.map(([time, value]) => [time, Number(value) + 0]);
      expect(drawn.toSorted(([a], [b]) => a - b)).toEqual(expected);
      return true;
    });
  });

  it.each([
    ['up{job="api"}', '9999w', 'No finite value over 9999w in steps of 1166d 13h 12m 0s'],
    ['1 / 0', '1h', 'No finite value over 1h in steps of 1m 0s'],
    ['0 / 0', '15m', 'No finite value over 15m in steps of 15s'],
  ])('says that %s over %s has no curve, and draws none', async (expr, range, words) => {
    const answer = await answerOf(await open(pageOf(expr, range)));
    expect(await wordsOf(answer, 'caption')).toMatch(/^1 series at [\d-]+ [\d:]+ UTC$/);
    expect((await wordsOf(answer, 'td.curve')).trim()).toBe(words);
    expect(await answer.locator('svg').count()).toBe(0);
  });

  it('draws a curve for the series with finite values only', async () => {
    const expr = 'sort_desc(vector(1) or label_replace(vector(1) / 0, "t", "1", "", ""))';
    const answer = await answerOf(await open(pageOf(expr)));
    expect(await wordsOf(answer, 'caption')).toMatch(/, with curves over 15m, 0 to 1$/);
    const cells = await answer.locator('td.curve').all();
    const drawn = await Promise.all(cells.map((cell) => cell.locator('path').count()));
    expect(drawn).toEqual([0, 1]);
  });

  it.each([
    'sum(',
    'up offset',
    'rate(up)',
    'up / on () up',
    'up + on () group_left () {__name__=~"up|scrape_duration_seconds"}',
  ])('shows the error of Prometheus for %s', async (expr) => {
    const { data } = await axios.get(`${stack.prometheusUrl}/api/v1/query`, {
      params: { query: expr },
      validateStatus: () => true,
    });
    expect(data).toMatchObject({ status: 'error' });
    const page = await open(pageOf(expr));
    const shown = await wordsOf(await frameOf(page, 'api/v1'), 'pre');
    expect(JSON.parse(shown)).toEqual(data);
    expect(await page.locator('[name=expr]').inputValue()).toBe(expr);
  });

  it('shows a range vector, which templates do not support, as the API returns it', async () => {
    const page = await open(pageOf('http_errors_total{code="404"}[5s] @ 0'));
    const shown = await wordsOf(await frameOf(page, 'api/v1'), 'pre');
    expect(JSON.parse(shown)).toMatchObject({ status: 'success', data: { resultType: 'matrix' } });
  });

  it('reports an invalid range and shows the result without curves', async () => {
    const page = await open(pageOf('vector(1)', '<b>soon'));
    const answer = await answerOf(page);
    expect(await wordsOf(answer, 'p')).toBe(
      'range: expected a duration such as 15m, 1h or 7d, got "<b>soon".',
    );
    expect(await answer.locator('svg').count()).toBe(0);
    expect(await rows(page)).toEqual([{ series: '{}', value: 1 }]);
  });

  it('needs no mouse: query, examples and overview are reachable by keyboard', async () => {
    const page = await open(`${stack.prometheusUrl}/consoles/query.html`);
    await hasFocus(page);
    await page.keyboard.type('sum(http_errors_total)');
    await Promise.all([page.waitForURL(/expr=sum/), page.keyboard.press('Enter')]);
    await expectRows(page, () => [{ series: '{}', value: 33 }]);
    await hasFocus(page);
    // The range, the button, the first example.
    for (const _ of [1, 2, 3]) await page.keyboard.press('Tab');
    await Promise.all([page.waitForURL(/expr=sum.*requests/), page.keyboard.press('Enter')]);
    await expectRows(page, () => [{ series: '{}', value: 100 }]);
    await hasFocus(page);
    await page.keyboard.press('Shift+Tab');
    await Promise.all([page.waitForURL(/index\.html/), page.keyboard.press('Enter')]);
  });

  it('scrolls a long result by keyboard', async () => {
    const page = await open(pageOf('http_request_duration_seconds'));
    const answer = await answerOf(page);
    await hasFocus(page);
    // The range, the button, five examples, the result.
    for (let i = 0; i < 8; i++) await page.keyboard.press('Tab');
    await eventually('the result to scroll', async () => {
      await page.keyboard.press('PageDown');
      return Number(await answer.evaluate('scrollY')) > 0;
    });
  });

  describe.each([
    [400, 'light', 'rgb(244, 245, 245)'],
    [400, 'dark', 'rgb(17, 18, 23)'],
    [800, 'light', 'rgb(244, 245, 245)'],
  ] as const)('at %d pixels, %s', (width, scheme, ground) => {
    it.each([
      ['answer.html', HOSTILE_QUERY],
      ['answer.html', 'sort_desc(http_requests_total)'],
      ['api/v1', 'sum('],
    ])(
      'the page with %s for %s needs no horizontal scrolling and does not execute its content',
      async (address, expr) => {
        const page = await open(pageOf(expr), width, scheme);
        for (const frame of [page.mainFrame(), await frameOf(page, address)]) {
          expect(await frame.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
          expect(await frame.locator('img, script').count()).toBe(0);
        }
        expect(await page.title()).toBe(expr);
        expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(ground);
      },
    );
  });
});
