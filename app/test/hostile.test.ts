/** How the process responds to malformed requests and to unusual valid ones, and what it counts, exposes and logs. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DURATION_BUCKETS_SECONDS } from 'express-exact-metrics';
import { sumOf } from '../../test/support/exposition.ts';
import { createRandom } from '../../test/support/random.ts';
import { connectRaw } from '../../test/support/raw-client.ts';
import { type AppProcess, startProcess } from './app-process.ts';
import { FORGED, type Kind, malformedRequest, oddRequest } from './hostile-requests.ts';

const MALFORMED = 10_000;
const ODD = 20_000;
const BATCH = 100;
/** In characters, a screen of text. */
const MAX_LINE_LENGTH = 1_000;

let app: AppProcess;
beforeAll(async () => {
  app = await startProcess({ LOG_LEVEL: 'trace', ACCESS_LOG_LINES_PER_SECOND: '10000' });
});
afterAll(() => app.kill());

/** Runs `work` `count` times, as many at once as there are `connections`. */
async function inParallel(connections: number, count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const one = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: connections }, one));
}

/** Sends bytes on a new connection and closes its sending side. @returns everything received until the server closes */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    connect(port, '127.0.0.1')
      .setEncoding('latin1')
      .on('data', (data: string) => {
        text += data;
      })
      .on('error', () => undefined)
      .on('close', () => resolve(text))
      .end(bytes, 'latin1');
  });
}

/** The series that the contract specifies, independent of the code that creates them. */
function contract(): string[] {
  const rows: [path: string, method: string, codes: number[]][] = [
    ['products', 'get', [200]],
    ['products', 'post', [201]],
    ['cart', 'get', [200]],
    ['cart', 'post', [201]],
    ['cars', 'get', [200]],
    ['cars', 'post', [200]],
    ['cars/:id', 'get', [200]],
    ['cars/:id', 'patch', [200]],
    ['cars/:id', 'delete', [200]],
  ];
  const unmatched = ['get', 'post', 'patch', 'delete', 'other'].map(
    (method) => ['unmatched', method, [404, 405]] as const,
  );
  const cells = [...rows, ...unmatched].flatMap(([path, method, codes]) =>
    [...codes, 499, 500].map((code) => `path="${path}",method="${method}",code="${code}"`),
  );
  const bounds = [
    ...DURATION_BUCKETS_SECONDS.map((bound) => (bound % 1 === 0 ? `${bound}.0` : `${bound}`)),
    '+Inf',
  ];
  return [
    'inprogress_requests',
    'http_server_drained',
    ...['404', '405', '499', '500'].map((code) => `http_errors_total{code="${code}"}`),
    ...rows.map(([path, method]) => `http_requests_total{path="${path}",method="${method}"}`),
    ...cells.flatMap((labels) => [
      ...bounds.map((le) => `http_request_duration_seconds_bucket{${labels},le="${le}"}`),
      `http_request_duration_seconds_sum{${labels}}`,
      `http_request_duration_seconds_count{${labels}}`,
    ]),
  ].sort();
}

const seriesOf = (text: string) =>
  [...text.matchAll(/^((?:http_|inprogress_requests).*) \S+$/gm)].map(([, series]) => series).sort();

it('exposes exactly the series of the contract', async () => {
  expect(seriesOf(await app.inProgress(0))).toEqual(contract());
});

describe(`${MALFORMED} malformed requests`, () => {
  const answered = new Map<Kind, Set<number>>();

  it('get a 400, another client error, or the response to a valid interpretation', async () => {
    const random = createRandom(7);
    const problems: unknown[] = [];
    await inParallel(50, MALFORMED, async () => {
      const { kind, bytes } = malformedRequest(random);
      const answer = await exchange(random() < 0.8 ? app.apiPort : app.metricsPort, bytes);
      const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      answered.set(kind, new Set([...(answered.get(kind) ?? []), ...statuses]));
      const isExpected = statuses.every((status) => [200, 201, 400, 404, 405, 413, 431].includes(status));
      const smuggles = kind === 'smuggling' && answer.includes('Single car');
      const leaks = /node_modules|file:\/\/|\n {4}at |X-Powered-By|X-Injected/i.test(answer);
      if (!isExpected || smuggles || leaks) problems.push({ kind, bytes, answer });
    });
    expect(problems).toEqual([]);
    expect(answered.size).toBe(8);
    expect(answered.get('bytes')).toEqual(new Set([400]));
    expect(answered.get('header')).toContain(431);
  });

  it('affect neither the process nor other clients', async () => {
    expect(app.isAlive()).toBe(true);
    expect(await app.get(app.apiPort, '/products')).toBe('product');
    expect(await app.get(app.metricsPort, '/readyz')).toBe('ok\n');
  });

  it('leave only complete log lines of bounded length, written by the service', () => {
    const lines = app.log().split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(1_000);
    expect(lines.length).toBeLessThan(MALFORMED * 2);
    expect(new Set(app.messages())).toEqual(new Set(['ready', 'request']));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(MAX_LINE_LENGTH);
    expect(lines).not.toContain(FORGED);
    const ids = lines.flatMap((line) => (JSON.parse(line) as { requestId?: string }).requestId ?? []);
    expect(ids.filter((id) => !/^[A-Za-z0-9._-]{1,64}$/.test(id))).toEqual([]);
  });
});

it(`${ODD} unusual requests count once each, and neither kind adds a series`, async () => {
  const ended = (text: string) => sumOf(text, 'http_request_duration_seconds_count');
  const before = ended(await app.inProgress(0));
  const random = createRandom(42);
  await inParallel(20, ODD / BATCH, async () => {
    const client = await connectRaw(app.apiPort);
    client.send(Array.from({ length: BATCH }, () => oddRequest(random)).join(''));
    await client.responses(BATCH);
    client.socket.destroy();
  });
  const text = await app.inProgress(0);
  expect(ended(text) - before).toBe(ODD);
  expect(seriesOf(text)).toEqual(contract());
});
