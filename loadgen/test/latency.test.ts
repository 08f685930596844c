/** The latency that Prometheus tells against the one that was measured: what is explained, and what is a failure. */
import { describe, expect, it } from '@jest/globals';
import { createRandom } from '../../testing/random.ts';
import { formatLatency } from '../src/cli/latency-table.ts';
import { plain as paint } from '../src/cli/paint.ts';
import { createHistogram, encodeHistogram, record } from '../src/load/histogram.ts';
import type { Bucket, DurationReading } from '../src/proof/durations.ts';
import { compareLatency } from '../src/report/latency.ts';
import type { PhaseReport } from '../src/report/report.ts';

const cart = { path: 'cart', method: 'get' };
const CLASSIC = [0, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

function hdr(durationsMs: readonly number[], digits: 2 | 3): string {
  const histogram = createHistogram(digits);
  for (const ms of durationsMs) record(histogram, ms);
  return encodeHistogram(histogram);
}

interface Sent {
  readonly serviceMs: readonly number[];
  readonly latenessMs?: readonly number[];
  readonly schedule?: 'open' | 'closed';
  readonly unanswered?: number;
}

/** As far as it is read. */
function phaseOf({ serviceMs, latenessMs = [0.5, 1], schedule = 'open', unanswered = 0 }: Sent): PhaseReport {
  const line = { series: cart, answered: serviceMs.length, unanswered, serviceTime: hdr(serviceMs, 2) };
  const phase = { plan: { schedule }, byTarget: [line], histograms: { lateness: hdr(latenessMs, 3) } };
  return phase as unknown as PhaseReport;
}

/** What the server counts of these durations, in buckets of these bounds or of 16 for each power of two. */
function readingOf(durationsMs: readonly number[], bounds?: readonly number[]): DurationReading {
  const buckets = new Map<number, Bucket>();
  for (const ms of durationsMs) {
    const seconds = ms / 1000;
    const index = bounds ? bounds.findIndex((bound) => seconds <= bound) : Math.ceil(Math.log2(seconds) * 16);
    const [from, to] = bounds
      ? [bounds[index - 1] ?? 0, bounds[index] ?? 0]
      : [2 ** ((index - 1) / 16), 2 ** (index / 16)];
    buckets.set(index, { from, to, count: (buckets.get(index)?.count ?? 0) + 1 });
  }
  const series = {
    ...cart,
    buckets: [...buckets.values()].sort((a, b) => a.to - b.to),
    count: durationsMs.length,
    sumSeconds: durationsMs.reduce((sum, ms) => sum + ms, 0) / 1000,
  };
  return { kind: bounds ? 'classic' : 'native', series: [series] };
}

const random = createRandom(12);
const draw = (n: number, one: () => number) => Array.from({ length: n }, one);
const even = (n: number) => draw(n, () => 2 + 58 * random());
const bimodal = (n: number) => draw(n, () => (random() < 0.9 ? 2 + 8 * random() : 80 + 40 * random()));
/** Half a millisecond on the way, and now and then a stall. */
const travel = (durationsMs: readonly number[]) =>
  durationsMs.map((ms) => ms + 0.2 - Math.log(1 - random()) * 0.3 + (random() < 0.01 ? 15 : 0));

describe('the latency of a run', () => {
  it.each([
    ['evenly spread', even],
    ['of two kinds', bimodal],
  ])('%s agrees with a native histogram of it within 5 %, and as far as is explained', (_name, drawn) => {
    for (const n of [1, 2, 10, 100, 3_000]) {
      const durations = drawn(n);
      const { kind, rows, notes } = compareLatency(
        [phaseOf({ serviceMs: travel(durations) })],
        readingOf(durations),
      );
      expect([kind, notes, rows.map(({ quantile }) => quantile)]).toEqual(['native', [], [0.5, 0.9, 0.99]]);
      for (const { ok, measuredMs, prometheusMs, explainedMs, bucketMs } of rows) {
        expect([n, ok]).toEqual([n, true]);
        expect(explainedMs[0]).toBeLessThanOrEqual(bucketMs[0]);
        if (n === 3_000 && drawn === even)
          expect(Math.abs((prometheusMs ?? 0) / measuredMs - 1)).toBeLessThan(0.05);
      }
    }
  });

  it('fails where Prometheus tells more than anybody has waited', () => {
    const durations = even(3_000);
    const serviceMs = travel(durations);
    // What interpolation in the bucket from 50 to 100 ms makes of the p99.
    const told = durations.map((ms) => (ms > 50 ? 50 + (ms - 50) * 5 : ms));
    const { rows } = compareLatency([phaseOf({ serviceMs })], readingOf(told));
    expect(rows.map(({ ok }) => ok)).toEqual([true, false, false]);
  });

  it('fails where Prometheus tells far less than was waited, and the means do not say that the way took it', () => {
    const durations = even(3_000);
    const serviceMs = travel(durations);
    // The half that took longest is told as short; a few enormous ones keep the mean.
    const told = durations.map((ms) => (ms > 31 ? 5 : ms));
    const missing = durations.reduce((sum, ms) => sum + ms, 0) - told.reduce((sum, ms) => sum + ms, 0);
    told[0] = missing;
    const { rows } = compareLatency([phaseOf({ serviceMs })], readingOf(told));
    expect(rows[1]?.ok).toBe(false);
  });

  it('explains what a slow way takes from all', () => {
    const durations = even(1_000);
    const { rows } = compareLatency(
      [phaseOf({ serviceMs: durations.map((ms) => ms + 100) })],
      readingOf(durations),
    );
    expect(rows.map(({ ok }) => ok)).toEqual([true, true, true]);
  });

  it('explains what the server saw late by how late the generator was, and no more', () => {
    const serviceMs = even(1_000);
    const durations = serviceMs.map((ms) => ms + 9);
    const judged = (latenessMs: number) =>
      compareLatency(
        [phaseOf({ serviceMs, latenessMs: draw(1_000, () => latenessMs) })],
        readingOf(durations),
      ).rows.map(({ ok }) => ok);
    expect(judged(10)).toEqual([true, true, true]);
    expect(judged(0.1)).toEqual([false, false, false]);
  });

  it('of classic buckets is a range, within which the measured time has to lie', () => {
    const durations = even(2_000);
    const { kind, rows } = compareLatency(
      [phaseOf({ serviceMs: travel(durations) })],
      readingOf(durations, CLASSIC),
    );
    expect(kind).toBe('classic');
    expect(
      rows.map(({ quantile, prometheusMs, bucketMs, ok }) => [quantile, prometheusMs, bucketMs, ok]),
    ).toEqual([
      [0.5, null, [25, 50], true],
      [0.9, null, [50, 100], true],
      [0.99, null, [50, 100], true],
    ]);
  });

  it('is that of all phases together', () => {
    const [first, second] = [even(500), bimodal(500)];
    const phases = [first, second].map((durations) => phaseOf({ serviceMs: durations }));
    const { rows } = compareLatency(phases, readingOf([...first, ...second]));
    expect(rows.map(({ ok }) => ok)).toEqual([true, true, true]);
  });

  it('is not judged for closed loops', () => {
    const { rows, notes } = compareLatency(
      [phaseOf({ serviceMs: [1, 2, 3], schedule: 'closed' })],
      readingOf([1, 2, 3]),
    );
    expect(rows.map(({ ok }) => ok)).toEqual([null, null, null]);
    expect(notes).toEqual([]);
  });

  it.each([
    ['requests without an answer', { unanswered: 2 }, /^get cart: 2 without an answer/],
    ['other counts', { serviceMs: [1, 2] }, /^get cart: timed 3 times where 2 were answered$/],
  ])('is not compared for %s, which is said', (_name, sent, note) => {
    const { rows, notes } = compareLatency(
      [phaseOf({ serviceMs: [1, 2, 3], ...sent })],
      readingOf([1, 2, 3]),
    );
    expect(rows).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(note)]);
  });
});

describe('the table', () => {
  const row = {
    ...cart,
    quantile: 0.99,
    measuredMs: 60.2,
    bucketMs: [57.3, 59.8],
    explainedMs: [56, 64.4],
  } as const;
  const rowOf = (prometheusMs: number | null, ok: boolean | null) => ({
    ...row,
    bucketMs: [...row.bucketMs] as [number, number],
    explainedMs: [...row.explainedMs] as [number, number],
    prometheusMs,
    ok,
  });

  it('shows both, the difference and what is explained, in 80 columns', () => {
    const lines = formatLatency({ kind: 'native', rows: [rowOf(59.4, true)], notes: [] }, paint);
    expect(lines).toEqual([
      'latency     generator      prometheus        difference          explained',
      'path="cart" method="get"',
      '  p99          60.2ms          59.4ms   -800us (-1.3 %)     56.0ms..64.4ms',
      '',
      'latency: 1 quantiles agree as far as is explained (native histograms)',
    ]);
  });

  it('shows the range of a classic bucket', () => {
    const lines = formatLatency({ kind: 'classic', rows: [rowOf(null, true)], notes: [] }, paint);
    expect(lines[2]).toBe('  p99          60.2ms  57.3ms..59.8ms                       56.0ms..64.4ms');
  });

  it('says what failed, and what was not judged', () => {
    const failed = formatLatency(
      { kind: 'native', rows: [rowOf(90, false), rowOf(59, true)], notes: ['x'] },
      paint,
    );
    expect(failed.slice(-2)).toEqual([
      'latency: not compared: x',
      'latency: FAILED, 1 of 2 quantiles differ by more than is explained (native histograms)',
    ]);
  });

  it('shows no rows where none is judged', () => {
    const shown = formatLatency({ kind: 'native', rows: [rowOf(59, null)], notes: ['x'] }, paint);
    expect(shown).toEqual([
      'latency: not compared: x',
      'latency: not judged, since requests that go as fast as they can mostly wait; try PATTERN=steady',
    ]);
  });
});
