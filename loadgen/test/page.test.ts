/** The page: its charts, its texts, and its rendering in a browser. */
import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { describeInBrowser } from '../../test/support/in-browser.ts';
import { distributionChart, durationCharts, ratesChart } from '../src/report/html/charts.ts';
import { renderPage } from '../src/report/html/page.ts';
import { type Chart, drawChart, ticksOf } from '../src/report/html/svg.ts';
import type { Report } from '../src/report/report.ts';
import { useFolder } from './loadgen.ts';
import { histogramOf, phaseOf, reportOf } from './reports.ts';

const point = { sent: 0, answered: 0, errors: 0, dropped: 0, latency: null, serviceTime: null };
const valuesOf = ({ lines }: Chart, name: string) => lines.find(({ label }) => label === name)?.values;

describe('the charts of a phase', () => {
  it('show rates per second, and the planned rate of the stages', () => {
    const points = [4, 8, 2].map((sent) => ({ ...point, sent }));
    const phase = phaseOf('ramp', { timeline: { intervalSeconds: 20, points }, durationSeconds: 60 });
    const chart = ratesChart(phase, 1);
    expect(chart.x).toEqual([10, 30, 50]);
    expect(valuesOf(chart, 'sent')).toEqual([0.2, 0.4, 0.1]);
    expect(valuesOf(chart, 'planned')).toEqual([50, 150, 200]);
  });

  it('show the planned rate of a shard, and none for a closed loop', () => {
    const timeline = { intervalSeconds: 1, points: [point] };
    expect(valuesOf(ratesChart(phaseOf('steady', { timeline }), 5), 'planned')).toEqual([10]);
    expect(valuesOf(ratesChart(phaseOf('hundred', { timeline }), 1), 'planned')).toBeUndefined();
  });

  it('have the distribution up to the slowest request, and gaps if no request was due', () => {
    const none = histogramOf();
    const histograms = { latency: histogramOf(10, 20, 30, 40), serviceTime: none, lateness: none };
    const timeline = { intervalSeconds: 1, points: [{ ...point, latency: histogramOf(5) }, point] };
    const phase = phaseOf('steady', { histograms, timeline });
    expect(valuesOf(durationCharts(phase).latency, 'p50')).toEqual([expect.closeTo(5, 1), null]);
    const chart = distributionChart(phase);
    expect(chart.x.at(-1)).toBe(10);
    expect(valuesOf(chart, 'latency')?.findLast((value) => value !== null)).toBeCloseTo(30, 0);
    expect(valuesOf(chart, 'service time')?.every((value) => value === null)).toBe(true);
  });
});

describe('a chart', () => {
  const xAxis = { range: [0, 4], isLog: false, format: (value: number) => `${value}s` } as const;
  const yAxis = { range: [1, 100], isLog: true, format: (value: number) => `${value}ms` } as const;

  it('has curves with gaps, dots between gaps, labels, and tooltips with numbers', () => {
    const lines = [{ label: 'p50', color: 'p50', isDashed: true, values: [1, 10, null, 100] }];
    const { text } = drawChart({ x: [0.5, 1.5, 2.5, 3.5], lines, xAxis, yAxis });
    expect(text).toContain(
      '<path d="M12.5 100h0L37.5 50M87.5 0h0" style="stroke:var(--p50)" stroke-dasharray="6 4"/>',
    );
    expect(text).toContain('<path d="M87.5 0h0" style="stroke:var(--p50);stroke-width:7"/>');
    expect(text).toContain('<span class="y" style="top:50%">10ms</span>');
    expect(text).toContain('<span class="x" style="left:50%">2s</span>');
    expect(text.match(/<rect .*?<\/rect>/gs)).toEqual([
      '<rect x="0" width="25" height="100"><title>0.5s\np50 1ms</title></rect>',
      '<rect x="25" width="25" height="100"><title>1.5s\np50 10ms</title></rect>',
      '<rect x="50" width="25" height="100"><title>2.5s</title></rect>',
      '<rect x="75" width="25" height="100"><title>3.5s\np50 100ms</title></rect>',
    ]);
  });

  it.each([
    [0, 216, false, [0, 50, 100, 150, 200]],
    [0, 0.3, false, [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]],
    [1, 10_000, true, [1, 10, 100, 1000, 10_000]],
    [10, 100, true, [10, 20, 50, 100]],
  ])('labels a few round numbers from %p to %p (logarithmic: %p)', (low, high, isLog, ticks) => {
    expect(ticksOf({ range: [low, high], isLog, format: String })).toEqual(ticks);
  });
});

describe('the page', () => {
  it('escapes everything that comes from a pattern', async () => {
    const evil = '</style><script>alert(1)</script>';
    const page = await renderPage([
      reportOf([phaseOf('hundred', { pattern: evil })], { target: `http://x/${evil}` }),
    ]);
    expect(page).toContain('&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toContain('<script');
  });

  it('is self-contained', async () => {
    const page = await renderPage([reportOf([phaseOf('hundred')])]);
    expect(page).not.toMatch(/\b(src|href)="(?!data:)|@import|url\(/);
    expect(page).toContain(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`);
  });

  it('shows the service time of the generator next to that of Prometheus, or a dash', async () => {
    const latency = [
      { quantile: 0.5, measuredMs: 30.5, prometheusMs: 29.9 },
      { quantile: 0.99, measuredMs: 60, prometheusMs: null },
    ];
    const page = await renderPage([reportOf([phaseOf('steady')], { latency })]);
    expect(page).toContain('<h2>Service time in Prometheus</h2>');
    const cells = [...page.matchAll(/<td[^>]*>(p50|p99|30.5ms|29.9ms|60.0ms|-)<\/td>/g)].map(
      ([, text]) => text,
    );
    expect(cells.slice(-6)).toEqual(['p50', '30.5ms', '29.9ms', 'p99', '60.0ms', '-']);
    expect((await renderPage([reportOf([])])).includes('Service time in Prometheus')).toBe(false);
  });

  const lost = { index: 2, of: 4, reason: 'left no report' };
  it.each<[string, Partial<Report>, string, string]>([
    ['passed', {}, 'Passed', 'hundred: p99&lt;250ms met (3ms)'],
    ['lost', { lostShards: [lost] }, 'Failed', 'shard 2/4 left no report'],
    ['interrupted', { state: 'interrupted' }, 'Incomplete', 'interrupted: the remaining requests were not'],
    ['started', { state: 'started' }, 'Incomplete', 'the run has not finished, or was killed'],
    ['part', { shard: { index: 2, of: 4 } }, 'Incomplete', 'shard 2 of 4: thresholds and verification apply'],
  ])('starts with the verdict of a run that was %s', async (_, overrides, word, reason) => {
    const page = await renderPage([reportOf([phaseOf('hundred')], overrides)]);
    expect(page).toContain(`<p class="word">${word}</p>`);
    expect(page).toContain(reason);
  });
});

/** A long run of several patterns, each with the most targets that a report lists. */
function largeReport(...patterns: string[]): Report {
  const full = histogramOf(...Array.from({ length: 2000 }, (_, n) => 1 + n ** 1.4 / 10));
  const points = Array.from({ length: 240 }, (_, n) => ({
    ...{ sent: 40_000 + n, answered: 39_000 + n, errors: 1000 - n, dropped: 7 * n },
    ...{ latency: full, serviceTime: full },
  }));
  const byTarget = Array.from({ length: 100 }, (_, n) => ({
    ...{ name: `GET /a/rather/long/path/${n}`, series: { route: `a/rather/long/path/${n}` } },
    ...{ answered: 100_000 + n, errors: n, unanswered: n, dropped: n, statuses: { 200: 99_000, 503: n } },
    ...{ serviceTimeMs: phaseOf('steady').serviceTimeMs, serviceTime: full },
  }));
  const histograms = { latency: full, serviceTime: full, lateness: full };
  const course = { timeline: { intervalSeconds: 8, points }, durationSeconds: 1920, histograms, byTarget };
  return reportOf(patterns.map((name) => phaseOf(name, course)));
}

it('stays below 300 kB for a long run of several large patterns', async () => {
  expect(Buffer.byteLength(await renderPage([largeReport('steady', 'ramp', 'spike')]))).toBeLessThan(300_000);
});

describeInBrowser('the page in a browser', (browser) => {
  const at = useFolder();

  it.each([
    [400, 'dark'],
    [1440, 'light'],
  ] as const)('at %i px, %s, renders, fits, loads nothing, and prints', async (width, colorScheme) => {
    const report = largeReport('steady');
    await writeFile(at('both.html'), await renderPage([report, report]));
    const page = await browser().newPage({ viewport: { width, height: 900 }, colorScheme });
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(request.url());
    });
    await page.goto(pathToFileURL(at('both.html')).href);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    expect(await page.locator('.plot > svg').count()).toBe(2 + 2 * 4);
    const box = await page.locator('.plot > svg path').last().boundingBox();
    expect(box?.width).toBeGreaterThan(width / 2);
    expect(complaints).toEqual([]);
    await page.emulateMedia({ media: 'print' });
    const ground = await page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    expect(ground).toBe('rgb(252, 252, 251)');
    await page.close();
  });
});
