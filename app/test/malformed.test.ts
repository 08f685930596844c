/** Ten thousand malformed requests to the process, on both of its ports: what it answers, exposes and logs. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRandom } from '../../test/support/random.ts';
import { type AppProcess, startProcess } from './app-process.ts';
import { FORGED, type Malformed, malformedRequest } from './malformed-requests.ts';

const REQUESTS = 10_000;
const CONNECTIONS = 50;
/** One line of a log is a screen of text at the most. */
const MAX_LINE_LENGTH = 1_000;

let app: AppProcess;
beforeAll(async () => {
  app = await startProcess({ LOG_LEVEL: 'trace', ACCESS_LOG_LINES_PER_SECOND: '10000' });
}, 60_000);
afterAll(() => app.stop());

/** Sends bytes on a connection of their own, says that there are no more, and gives what came until the other side closed. */
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

const statusesOf = (answer: string) =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

async function series(): Promise<string[]> {
  const text = await app.settled();
  return text
    .split('\n')
    .filter((line) => /^(http_|inprogress_requests|http_server_drained)/.test(line))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
}

describe(`${REQUESTS} malformed requests`, () => {
  const answered = new Map<string, Set<number>>();
  let before: string[];

  beforeAll(async () => {
    before = await series();
    const random = createRandom(7);
    let left = REQUESTS;
    const problems: { request: Malformed; answer: string }[] = [];
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        while (left-- > 0) {
          const request = malformedRequest(random);
          const port = random() < 0.8 ? app.apiPort : app.metricsPort;
          const answer = await exchange(port, request.bytes);
          const statuses = statusesOf(answer);
          const known = answered.get(request.kind) ?? new Set();
          answered.set(request.kind, known);
          for (const status of statuses) known.add(status);
          const smuggles = request.kind === 'smuggling' && answer.includes('Single car');
          const leaks = /node_modules|file:\/\/|\n {4}at |X-Powered-By|X-Injected/i.test(answer);
          if (statuses.some((status) => status >= 500) || smuggles || leaks)
            problems.push({ request, answer });
        }
      }),
    );
    expect(problems).toEqual([]);
  }, 240_000);

  it('are answered with 400, as the mistake of the client, or as what they can be read as', () => {
    expect([...answered.keys()].sort()).toEqual(
      ['bytes', 'chunk', 'encoding', 'header', 'length', 'line', 'smuggling', 'target'].sort(),
    );
    const all = new Set([...answered.values()].flatMap((statuses) => [...statuses]));
    expect([...all].filter((status) => ![200, 201, 400, 404, 405, 413, 431].includes(status))).toEqual([]);
    expect([...(answered.get('bytes') ?? [])]).toEqual([400]);
    expect(all).toContain(431);
  });

  it('end neither the process nor its answers to others', async () => {
    expect(app.isAlive()).toBe(true);
    expect(await app.get(app.apiPort, '/products')).toBe('product');
    expect(await app.get(app.metricsPort, '/readyz')).toBe('ok\n');
  });

  it('add no series', async () => {
    expect(before.length).toBeGreaterThan(100);
    expect(await series()).toEqual(before);
  });

  it('leave lines in the log that are whole, bounded, and its own', () => {
    const lines = app.log().trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(1_000);
    expect(lines.length).toBeLessThan(REQUESTS * 2);
    expect(lines.filter((line) => !line.startsWith('{"level":'))).toEqual([]);
    const messages = new Set(lines.map((line) => (JSON.parse(line) as { msg: string }).msg));
    expect([...messages].sort()).toEqual(['ready', 'request']);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(MAX_LINE_LENGTH);
    expect(lines).not.toContain(FORGED);
    const ids = lines.flatMap((line) => (JSON.parse(line) as { requestId?: string }).requestId ?? []);
    expect(ids.filter((id) => !/^[A-Za-z0-9._-]{1,64}$/.test(id))).toEqual([]);
  });
});
