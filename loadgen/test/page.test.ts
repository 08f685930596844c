import { describe, expect, it } from '@jest/globals';
import { toCharts } from '../src/report/html/charts.ts';
import { renderPage } from '../src/report/html/page.ts';
import type { Report } from '../src/report/report.ts';
import { histogramOf, phaseOf, reportOf } from './reports.ts';

const point = { sent: 0, answered: 0, errors: 0, dropped: 0, latency: null, serviceTime: null };

describe('the charts of a phase', () => {
  it('show rates per second, and the asked one from the stages', () => {
    const points = [4, 8, 2].map((sent) => ({ ...point, sent }));
    const phase = phaseOf('ramp', { timeline: { intervalSeconds: 20, points }, durationSeconds: 60 });
    const { time, rates } = toCharts(phase, reportOf([phase]));
    expect(time).toEqual([10, 30, 50]);
    expect(rates.sent).toEqual([0.2, 0.4, 0.1]);
    expect(rates.asked).toEqual([50, 150, 200]);
  });

  it('ask of a shard only its part, and nothing of a closed loop', () => {
    const timeline = { intervalSeconds: 1, points: [point] };
    const steady = phaseOf('steady', { timeline });
    expect(toCharts(steady, reportOf([steady], { shard: { index: 2, of: 5 } })).rates.asked).toEqual([10]);
    const hundred = phaseOf('hundred', { timeline });
    expect(toCharts(hundred, reportOf([hundred])).rates.asked).toEqual([null]);
  });

  it('have the distribution up to the slowest request, and gaps where nothing was due', () => {
    const none = histogramOf();
    const histograms = { latency: histogramOf(10, 20, 30, 40), serviceTime: none, lateness: none };
    const timeline = { intervalSeconds: 1, points: [{ ...point, latency: histogramOf(5) }, point] };
    const phase = phaseOf('steady', { histograms, timeline, latencyMs: null });
    const { latency, distribution } = toCharts(phase, reportOf([phase]));
    expect(latency.p50).toEqual([5.003, null].map((ms) => ms && expect.closeTo(ms, 1)));
    expect(distribution.oneIn.at(-1)).toBe(10);
    expect(distribution.latency.findLast((value) => value !== null)).toBeCloseTo(30, 0);
    expect(distribution.serviceTime.every((value) => value === null)).toBe(true);
  });
});

describe('the page', () => {
  it('shows what a pattern brings as text and never as markup', async () => {
    const evil = '</script><script>alert(1)</script>';
    const phase = phaseOf('hundred', { pattern: evil });
    const page = await renderPage([reportOf([phase], { target: `http://x/${evil}` })]);
    expect(page).not.toContain(evil);
    expect(page).toContain('&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page.match(/<script/g)).toHaveLength(4);
  });

  it('needs nothing from anywhere', async () => {
    const page = await renderPage([reportOf([phaseOf('hundred')])]);
    expect(page).not.toMatch(/\b(src|href)="(?!data:)|@import|url\(/);
    expect(page).toContain("default-src 'none'");
  });

  it('shows the service time of the generator next to that of Prometheus, and a dash where there is none', async () => {
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
    expect(page).toContain('<p class="word">Passed</p>');
    expect((await renderPage([reportOf([])])).includes('Service time in Prometheus')).toBe(false);
  });

  const lost = { index: 2, of: 4, reason: 'left no report' };
  it.each<[string, Partial<Report>, string, string]>([
    ['passed', {}, 'Passed', 'hundred: p99&lt;250ms held (3ms)'],
    ['lost', { lostShards: [lost] }, 'Failed', 'shard 2/4 left no report'],
    ['interrupted', { state: 'interrupted' }, 'Open', 'interrupted: the rest was not sent'],
    ['started', { state: 'started' }, 'Open', 'the run has not ended, or was killed'],
    ['part', { shard: { index: 2, of: 4 } }, 'Open', 'shard 2 of 4: decided when all are combined'],
  ])('says first what became of a run that was %s', async (_, overrides, word, reason) => {
    const page = await renderPage([reportOf([phaseOf('hundred')], overrides)]);
    expect(page).toContain(`<p class="word">${word}</p>`);
    expect(page).toContain(reason);
  });

  it('stays below 300 kB for a long run of several large patterns', async () => {
    const full = histogramOf(...Array.from({ length: 2000 }, (_, n) => 1 + n ** 1.4 / 10));
    const points = Array.from({ length: 240 }, (_, n) => ({
      sent: 40_000 + n,
      answered: 39_000 + n,
      errors: 1000 - n,
      dropped: 7 * n,
      latency: full,
      serviceTime: full,
    }));
    const byTarget = Array.from({ length: 100 }, (_, n) => ({
      name: `GET /a/rather/long/path/${n}`,
      series: { path: `a/rather/long/path/${n}`, method: 'get' },
      answered: 100_000 + n,
      errors: n,
      unanswered: n,
      dropped: n,
      statuses: { 200: 99_000, 503: n },
      serviceTimeMs: phaseOf('steady').serviceTimeMs,
      serviceTime: full,
    }));
    const timeline = { intervalSeconds: 8, points };
    const histograms = { latency: full, serviceTime: full, lateness: full };
    const phases = ['steady', 'ramp', 'spike'].map((name) =>
      phaseOf(name, { timeline, histograms, byTarget }),
    );
    const page = await renderPage([reportOf(phases)]);
    expect(Buffer.byteLength(page)).toBeLessThan(300_000);
  });
});
