/** `--trace`: the header of each request, and the slowest requests in the report. */
import type { IncomingMessage } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, expect, it, jest } from '@jest/globals';
import { type RunOptions, run } from '../src/api.ts';
import { Slowest, slowestOf } from '../src/load/slowest.ts';
import { renderPage } from '../src/report/html/page.ts';
import { formatReport } from '../src/report/text/summary.ts';
import { serveHttp, stopServers } from './servers.ts';

afterEach(stopServers);

/** Responds immediately, to `/slow` when `slow` resolves, and to `/never` not at all; calls `on20` after 20 responses. */
async function send(
  options: Partial<RunOptions>,
  { slow = Promise.resolve(), on20 = () => {} }: Partial<Answers> = {},
) {
  const received: IncomingMessage[] = [];
  let answered = 0;
  const server = await serveHttp((request, response) => {
    received.push(request);
    if (request.url === '/never') return;
    if (request.url === '/slow') {
      void slow.then(() => response.end());
      return;
    }
    response.end();
    if (++answered === 20) on20();
  });
  const where = options.pattern ? { target: server.url } : { url: `${server.url}/a`, requests: 20 };
  const report = await run({ ...where, connections: 30, ...options } as RunOptions);
  const traceparents = received.map(({ headers }) => String(headers.traceparent));
  return { report, traceparents, slowest: report.phases[0]?.slowest ?? [] };
}

interface Answers {
  readonly slow: Promise<void>;
  readonly on20: () => void;
}

const idOf = (traceparent: string) => traceparent.split('-')[1] ?? '';

it('sends a different valid and sampled traceparent with each request', async () => {
  const { traceparents } = await send({ trace: true, body: 'a body', method: 'PUT' });
  expect(traceparents).toHaveLength(20);
  for (const one of traceparents) expect(one).toMatch(/^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-01$/);
  expect(new Set(traceparents.map(idOf)).size).toBe(20);
});

it('sends ids whose second half depends on the seed, and which differ in each run', async () => {
  const [one, same, other] = [
    await send({ trace: true }),
    await send({ trace: true }),
    await send({ trace: true, seed: 2 }),
  ].map(({ traceparents }) => traceparents.map(idOf).sort());
  const halves = (ids: string[] | undefined) => ids?.map((id) => id.slice(16)).sort();
  expect(halves(one)).toEqual(halves(same));
  expect(halves(one)).not.toEqual(halves(other));
  expect(one?.filter((id) => same?.includes(id))).toEqual([]);
});

it('sends no traceparent and lists no requests without the option', async () => {
  const { traceparents, slowest } = await send({});
  expect(new Set(traceparents)).toEqual(new Set(['undefined']));
  expect(slowest).toEqual([]);
});

it('does not replace a traceparent of the pattern', async () => {
  const { traceparents, slowest } = await send({ trace: true, headers: { Traceparent: 'mine' } });
  expect(new Set(traceparents)).toEqual(new Set(['mine']));
  expect(slowest).toEqual([]);
});

it('lists the ten slowest requests, including those without a response, in every format of the report', async () => {
  const pattern = {
    targets: [
      { path: '/a', count: 20 },
      { path: '/slow', count: 8 },
      { path: '/never', count: 1 },
    ],
  };
  let nowMs = performance.now();
  const now = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const slow = Promise.withResolvers<void>();
  /** Lets the client receive everything, and then advances its clock. */
  const advance = async (byMs: number) => {
    for (let n = 0; n < 100; n++) await turn();
    nowMs += byMs;
  };
  const on20 = async () => {
    await advance(500);
    slow.resolve();
    await advance(3000);
  };
  const answers = { slow: slow.promise, on20 };
  const { report, traceparents, slowest } = await send({ trace: true, pattern, timeout: '3s' }, answers);
  now.mockRestore();
  const [first] = slowest;
  expect(first).toMatchObject({ target: 'GET /never', endedWith: 'timeout' });
  expect(slowest.map(({ target }) => target).slice(1, 9)).toEqual(Array(8).fill('GET /slow'));
  expect(slowest).toHaveLength(10);
  const times = slowest.map(({ serviceTimeMs }) => serviceTimeMs);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  const text = stripVTControlCharacters(formatReport(report));
  const page = await renderPage([report]);
  for (const { traceId } of slowest) {
    expect(traceparents.map(idOf)).toContain(traceId);
    expect(page).toContain(traceId);
    expect(text).toContain(traceId);
  }
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

it('keeps the same requests in any order of their ends, and across shards', () => {
  const request = (serviceTimeMs: number) => ({
    ...{ traceId: 'ab'.repeat(16), target: 'GET /', endedWith: '200', latencyMs: serviceTimeMs },
    serviceTimeMs,
  });
  const all = Array.from({ length: 40 }, (_, n) => (n * 17) % 40);
  const slowest = new Slowest();
  for (const ms of all) slowest.add(ms, () => request(ms));
  const { kept } = slowest;
  expect(kept.map(({ serviceTimeMs }) => serviceTimeMs)).toEqual([39, 38, 37, 36, 35, 34, 33, 32, 31, 30]);
  expect(slowestOf([...all.map(request), ...kept]).map(({ serviceTimeMs }) => serviceTimeMs)).toEqual([
    39, 39, 38, 38, 37, 37, 36, 36, 35, 35,
  ]);
});
