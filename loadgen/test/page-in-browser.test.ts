/** The page in a browser, from a run to what a user reads there. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeInBrowser } from '../../test/support/in-browser.ts';
import { type FakeStack, startFakeStack } from './fake-stack.ts';
import { loadgen } from './loadgen.ts';
import { stopServers } from './servers.ts';

describeInBrowser('the page of a run', (browser) => {
  let stack: FakeStack;
  let folder = '';
  const at = (name: string) => join(folder, name);
  let page: Page | undefined;
  const complaints: string[] = [];

  beforeAll(async () => {
    stack = await startFakeStack();
    folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
    stack.api.beforeRequest(1, () => stack.api.count('http_requests_total{path="cars",method="get"}'));
    const outputs = ['--json', at('a.json'), '--html', at('report.html'), '--threshold', 'max>1h'];
    const ended = await loadgen(['run', 'hundred', ...stack.toTarget, ...stack.verified, ...outputs]);
    expect(ended.code).toBe(1);
  }, 90_000);

  afterEach(async () => {
    await page?.close();
    complaints.length = 0;
  });

  afterAll(async () => {
    await stopServers();
    await rm(folder, { recursive: true });
  });

  async function open({
    width = 1440,
    colorScheme = 'light',
    file = 'report.html',
  }: Opening = {}): Promise<Page> {
    page = await browser().newPage({ viewport: { width, height: 900 }, colorScheme });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(`asks for ${request.url()}`);
    });
    await page.goto(pathToFileURL(at(file)).href);
    return page;
  }

  /** Rows of the table after a heading, as text. */
  async function rowsAfter(heading: string): Promise<string[][]> {
    const section = page?.locator('section', { has: page.locator('h2', { hasText: heading }) });
    const rows = (await section?.first().locator('.scroll table').first().locator('tbody tr').all()) ?? [];
    return Promise.all(rows.map((row) => row.locator('td').allInnerTexts()));
  }

  it('says first that it failed, and why', async () => {
    const opened = await open();
    expect(await opened.locator('.verdict .word').textContent()).toBe('Failed');
    expect(await opened.locator('.verdict li').allInnerTexts()).toEqual([
      expect.stringMatching(/^hundred: max>1h did not hold/),
      'hundred: unanswered=0 held (0)',
      expect.stringMatching(/^verification FAILED: 1 of \d+ series differ/),
      'http_requests_total{path="cars",method="get"}: counted 1 more than sent',
      'Prometheus has no http_errors_total',
    ]);
  });

  it('has the verification, with the difference marked', async () => {
    const opened = await open();
    const rows = await rowsAfter('Verification');
    expect(rows).toContainEqual(['http_requests_total{path="products",method="post"}', '40', '40', '0']);
    const bad = ['http_requests_total{path="cars",method="get"}', '0', '1', '+1'];
    expect(await opened.locator('.verification tr.bad td').allInnerTexts()).toEqual(bad);
  });

  it.each([
    [400, 'light'],
    [400, 'dark'],
    [1440, 'light'],
    [1440, 'dark'],
  ] as const)('at %i px, %s, is drawn, fits, and asks for nothing', async (width, colorScheme) => {
    const opened = await open({ width, colorScheme });
    const seen = await opened.evaluate<Seen>(SEEN);
    expect(seen).toMatchObject({ scrollWidth: width, charts: 4 });
    expect(seen.inkedPixels.every((pixels) => pixels > 500)).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('tells the numbers under the pointer', async () => {
    const opened = await open();
    await opened.locator('.chart[data-kind="distribution"] .u-over').hover();
    const legend = opened.locator('.chart[data-kind="distribution"] .u-legend');
    expect(await legend.textContent()).toMatch(
      /^percentile:?\d+(\.\d+)?%latency:?\d+(\.\d+)?(us|ms|s)service/,
    );
  });

  it('holds the JSON of its report', async () => {
    const opened = await open();
    const held = JSON.parse((await opened.locator('#report').textContent()) ?? '');
    const { id, expectedCounts, snapshots, phases } = JSON.parse(await readFile(at('a.json'), 'utf8'));
    expect(held).toMatchObject({ id, expectedCounts, snapshots });
    expect(held.phases[0].histograms).toEqual(phases[0].histograms);
  });

  it('can be printed, also from the dark colours', async () => {
    const opened = await open({ colorScheme: 'dark' });
    await opened.emulateMedia({ media: 'print' });
    const ground = await opened.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    expect(ground).toBe('rgb(252, 252, 251)');
    expect((await opened.pdf()).length).toBeGreaterThan(20_000);
  });

  it('compares two', async () => {
    const [a, b, file] = [at('a.json'), at('b.json'), at('both.html')];
    await loadgen(['run', 'hundred', ...stack.toTarget, '--seed', '2', '--json', b]);
    expect(await loadgen(['report', a, b, '--html', file])).toMatchObject({ code: 0, out: `${file}\n` });
    const opened = await open({ file: 'both.html' });
    expect((await rowsAfter('A and B'))[0]).toEqual(['sent', '100', '100', 'same']);
    expect(await opened.locator('.comparison canvas').count()).toBe(2);
    expect(await opened.locator('.verdict .word').allInnerTexts()).toEqual(['Failed', 'Passed']);
    expect(complaints).toEqual([]);
  });
});

interface Opening {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly file?: string;
}

interface Seen {
  readonly scrollWidth: number;
  readonly charts: number;
  readonly inkedPixels: readonly number[];
}

/** Runs in the page, hence as text: the tests know no DOM. */
const SEEN = `(() => {
  const canvases = [...document.querySelectorAll('canvas')];
  const inked = (canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let n = 3; n < data.length; n += 4) if (data[n] > 0) count++;
    return count;
  };
  return {
    scrollWidth: document.documentElement.scrollWidth,
    charts: canvases.length,
    inkedPixels: canvases.map(inked),
  };
})()`;
