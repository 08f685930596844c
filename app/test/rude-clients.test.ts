/** The process among clients that pipeline requests and never read an answer. The long form is in docs/reliability.md. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AppProcess, probe, startProcess, sumOf } from './app-process.ts';

const RUDE_CLIENTS = 200;
const PROBES = 200;
const MAX_RSS_MB = 160;

let app: AppProcess;
const rude: Socket[] = [];

beforeAll(async () => {
  app = await startProcess({ LOG_LEVEL: 'silent' });
}, 60_000);

afterAll(async () => {
  for (const socket of rude) socket.destroy();
  await app.stop();
});

/** Sends requests for as long as anything is taken of them, and reads nothing. */
function beRude(port: number, url: string): void {
  const requests = `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(1_500);
  const socket = connect(port, '127.0.0.1');
  const push = () => setImmediate(() => socket.writable && socket.write(requests, 'latin1'));
  socket
    .pause()
    .on('connect', push)
    .on('drain', push)
    .on('error', () => undefined);
  rude.push(socket);
}

describe('clients that never read', () => {
  it('keep none of the others from an answer, and take no memory, on either port', async () => {
    expect(app.flags).not.toEqual([]);
    for (let n = 0; n < RUDE_CLIENTS; n++) beRude(app.apiPort, '/products');
    for (let n = 0; n < 20; n++) beRude(app.metricsPort, '/metrics');
    let rssMb = 0;
    for (let n = 0; n < PROBES; n += 20) {
      await probe(app, 20);
      expect(await app.get(app.metricsPort, '/healthz')).toBe('ok\n');
      rssMb = Math.max(rssMb, app.residentMb());
    }
    expect(rssMb).toBeLessThan(MAX_RSS_MB);
  }, 120_000);

  it('leave nothing in progress, and each request of theirs counted once', async () => {
    for (const socket of rude.splice(0)) socket.destroy();
    const text = await app.settled();
    expect(sumOf(text, 'http_requests_total', 'path="cart",method="get"')).toBe(PROBES);
    expect(sumOf(text, 'http_requests_total')).toBeGreaterThan(PROBES + RUDE_CLIENTS);
    expect(sumOf(text, 'http_requests_total')).toBe(sumOf(text, 'http_request_duration_seconds_count'));
  }, 60_000);
});
