/** Thousands of seeded random requests that end in every possible way; the sums must be right afterwards. */
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import { createRandom, pick } from '../../test/support/random.ts';
import { connectRaw, type RawClient } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { startApp, sum, type TestApp } from './harness.ts';

const CONNECTIONS = 600;
const AT_ONCE = 40;

function build(application: Express): void {
  application
    .route('/ok')
    .get((_q, r) => void r.send('ok'))
    .post((_q, r) => void r.status(201).send('ok'))
    .all((_q, r) => void r.sendStatus(405));
  application.get('/slow', (_q, r) => void setTimeout(() => r.send('ok'), 3));
  application.get('/big', (_q, r) => void r.send('x'.repeat(400_000)));
  application.get('/throws', () => Promise.reject(new Error('by the test')));
  application.get('/half', (_q, r) => void r.write('half', () => r.destroy()));
}

/** The request lines, and whether a route answers them. `/half` comes last on its connection, because it cuts the connection. */
const kinds = [
  { line: 'GET /ok', routed: true },
  { line: 'HEAD /ok', routed: true },
  { line: 'POST /ok', routed: true, body: 'b'.repeat(2_000) },
  { line: 'GET /slow', routed: true },
  { line: 'GET /big', routed: true },
  { line: 'GET /throws', routed: true },
  { line: 'GET /missing', routed: false },
  { line: 'DELETE /ok', routed: false },
] as const;

let app: TestApp;
beforeEach(async () => {
  app = await startApp(build);
});

describe.each([1, 20_261_121, 987_654_321])('any mixture of requests (seed %i)', (seed) => {
  it('counts each request exactly once, however it ends', async () => {
    const random = createRandom(seed);
    let entered = 0;
    let routed = 0;

    /** One connection: some requests, pipelined or one by one, then an end that may come too early. */
    async function converse(client: RawClient): Promise<void> {
      const requests = Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(random, kinds));
      const pipelined = random() < 0.4;
      let sent = '';
      for (const [i, kind] of requests.entries()) {
        const body = 'body' in kind ? kind.body : '';
        const bytes = `${kind.line} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
        entered++;
        if (kind.routed) routed++;
        if (pipelined) sent += bytes;
        else {
          client.send(bytes);
          await client.responses(i + 1);
        }
      }
      if (random() < 0.3) {
        entered++;
        routed++;
        sent += 'GET /half HTTP/1.1\r\nHost: x\r\n\r\n';
      }
      client.send(sent);
      // Bytes that are not parsed before the connection ends are not requests.
      await allEntered();
      if (random() < 0.5) await delay(random() * 4);
      if (random() < 0.5) client.socket.destroy();
      else client.socket.end();
    }

    let parsed = 0;
    app.server.prependListener('request', () => {
      parsed++;
    });
    function allEntered(): Promise<void> {
      const target = entered;
      return until(`${target} requests to enter`, () => parsed >= target);
    }

    let started = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (started++ < CONNECTIONS) await converse(await connectRaw(app.port));
      }),
    );
    const counts = await app.settled(entered);
    expect(sum(counts.durations)).toBe(entered);
    expect(sum(counts.requests)).toBe(routed);
    expect(counts.inProgress).toBe(0);
    expect(Object.keys(counts.errors).sort()).toEqual(['404', '405', '499', '500']);
  });
});
