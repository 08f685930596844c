/** The sums of a primary equal, in every format, those of a single process with all requests. */
import { describe, expect, it, jest } from '@jest/globals';
import { createRandom, pick } from '../../test/support/random.ts';
import { RequestTotals } from '../src/cluster/request-totals.ts';
import type { Family } from '../src/exposition/family.ts';
import { renderProtobuf } from '../src/exposition/protobuf.ts';
import { createRequestFamilies } from '../src/exposition/request-families.ts';
import {
  addRequest,
  addUnmatched,
  createRequestCounts,
  createRow,
  expose,
  initialise,
  MAX_CODES,
  type RequestCounts,
  unmatchedRow,
} from '../src/recording/counts.ts';
import { textOf } from './expositions.ts';
import { parse } from './harness.ts';
import { reporting } from './reporting.ts';

const PATHS = ['/a', '/b', '/c'];

function counting(bounds: readonly number[] = [0.25, 0.5, 1], hasNative = true): RequestCounts {
  const counts = createRequestCounts({ bounds, hasNative, maxRows: 10, onFull: () => undefined });
  for (const path of PATHS) {
    const row = createRow(path, 'get');
    expose(counts, row);
    initialise(row, bounds);
  }
  addUnmatched(counts, 'post');
  return counts;
}

const working = (totals: RequestTotals, counts = counting()) => reporting(totals, counts);

/** Adds the same request to each. */
function request(all: readonly RequestCounts[], path: string, code: number, seconds: number): void {
  for (const counts of all) {
    const row = counts.routed.get(`get ${path}`) ?? unmatchedRow(counts, path);
    addRequest(counts, row, code, seconds);
  }
}

const bodies = async (families: readonly Family[]) => [
  await textOf(families),
  await textOf(families, 'openmetrics'),
  (await renderProtobuf(families, true)).toString('hex'),
  (await renderProtobuf(families, false)).toString('hex'),
];

describe('the totals of requests', () => {
  it.each([1, 2, 3])(
    'render to the same bytes, whichever workers have counted and ended (seed %i)',
    async (seed) => {
      jest.spyOn(Date, 'now').mockReturnValue(1_700_000_000_000);
      const random = createRandom(seed);
      const totals = new RequestTotals(() => undefined);
      const whole = counting();
      let workers = [working(totals), working(totals), working(totals)];
      for (const worker of workers) worker.report();
      for (let step = 0; step < 400; step++) {
        const worker = pick(random, workers);
        // Sums of binary fractions are exact, in any order.
        const seconds = Math.floor(random() * 2048) / 1024;
        request(
          [worker.counts, whole],
          pick(random, [...PATHS, 'post']),
          pick(random, [200, 499, 500]),
          seconds,
        );
        if (random() < 0.1) worker.report();
        if (random() > 0.05) continue;
        worker.report();
        worker.end();
        workers = [...workers.filter((one) => one !== worker), working(totals)];
      }
      for (const worker of workers) worker.report();
      const single = createRequestFamilies(whole).map((family) => family());
      expect(await bodies(totals.read())).toEqual(await bodies(single));
      jest.restoreAllMocks();
    },
  );

  it('have no more codes per route than one process, however many different ones the workers send', async () => {
    const totals = new RequestTotals(() => undefined);
    for (let code = 200; code < 600; code++) {
      const worker = working(totals);
      request([worker.counts], '/a', code, 0);
      worker.report();
      worker.end();
    }
    const samples = parse(await textOf(totals.read()));
    const cells = samples.filter(
      ({ name, labels }) => name === 'http_request_duration_seconds_count' && labels.path === '/a',
    );
    expect(cells.length).toBeLessThanOrEqual(MAX_CODES + 5);
    expect(cells.reduce((sum, { value }) => sum + value, 0)).toBe(400);
  });

  it('include only the requests in progress of running workers', () => {
    const totals = new RequestTotals(() => undefined);
    const workers = [working(totals), working(totals)];
    const inProgress = () =>
      totals.read().find(({ name }) => name === 'inprogress_requests')?.values[0]?.value;
    for (const worker of workers) {
      worker.counts.inProgress = 2;
      worker.report();
    }
    expect(inProgress()).toBe(4);
    workers[0]?.end();
    expect(inProgress()).toBe(2);
  });

  it('keep every count if workers have other buckets, and log each difference once', async () => {
    const warn = jest.fn();
    const totals = new RequestTotals(warn);
    const different = () => working(totals, counting([0.1, 0.5, 5], false));
    const workers = [working(totals), different(), working(totals), different()];
    for (const worker of workers) {
      for (const seconds of [0.05, 0.3, 3, 30]) request([worker.counts], '/a', 200, seconds);
      worker.report();
    }
    expect(warn.mock.calls).toEqual([
      [
        'http_request_duration_seconds: workers differ in bucketsSeconds: using those of the first worker, 0.25, 0.5, 1; ' +
          'each bucket of the others counts in the smallest of these that contains it',
      ],
      [
        'http_request_duration_seconds: workers differ in nativeHistograms: native histograms are left out until the ' +
          'primary restarts',
      ],
    ]);
    const text = await textOf(totals.read());
    const buckets = parse(text)
      .filter(({ name, labels }) => /_bucket$/.test(name) && labels.path === '/a' && labels.code === '200')
      .map(({ labels, value }) => [labels.le, value]);
    expect(buckets).toEqual([
      ['0.25', 4],
      ['0.5', 8],
      ['1.0', 8],
      ['+Inf', 16],
    ]);
    expect((await renderProtobuf(totals.read(), true)).toString()).toEqual(
      (await renderProtobuf(totals.read(), false)).toString(),
    );
  });

  it('count routes beyond `maxRoutes` of the first worker as unmatched, and log it once', async () => {
    const warn = jest.fn();
    const totals = new RequestTotals(warn);
    for (const path of ['/a', '/b', '/c', '/d']) {
      const counts = createRequestCounts({
        bounds: [1],
        hasNative: false,
        maxRows: 2,
        onFull: () => undefined,
      });
      expose(counts, createRow(path, 'get'));
      const worker = working(totals, counts);
      request([counts], path, 200, 0.5);
      worker.report();
    }
    const samples = parse(await textOf(totals.read()));
    const requests = samples.filter(({ name }) => name === 'http_request_duration_seconds_count');
    const sum = (wanted: string) =>
      requests.reduce((total, { labels, value }) => total + (labels.path === wanted ? value : 0), 0);
    expect(['/a', '/b', '/c', 'unmatched'].map(sum)).toEqual([1, 1, 0, 2]);
    expect(warn.mock.calls).toEqual([
      [
        'http_requests_total: the workers together have more than 2 pairs of path and method (maxRoutes): ' +
          'requests to further routes are counted as unmatched',
      ],
    ]);
  });
});
