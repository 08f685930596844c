/** The client with a recorder that stores results, and helpers for tests. */
import { afterEach, expect } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import type { FailureKind, Recorder } from '../src/common/result.ts';
import { Addresses } from '../src/http/addresses.ts';
import { HttpClient } from '../src/http/client.ts';
import { type Origin, parseOrigin } from '../src/http/origin.ts';
import { encodeRequest } from '../src/http/request.ts';
import { stopServers } from './servers.ts';

/** The server keeps the connection for longer than any test needs. */
export const OK = 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=600\r\nContent-Length: 2\r\n\r\nok';
export const LAST = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';

class Results implements Recorder {
  readonly statuses: number[] = [];
  readonly failures: { kind: FailureKind; wasSent: boolean }[] = [];
  recordAnswer(_target: number, status: number): void {
    this.statuses.push(status);
  }
  recordFailure(_target: number, kind: FailureKind, _intendedMs: number, sentMs: number): void {
    this.failures.push({ kind, wasSent: !Number.isNaN(sentMs) });
  }
  recordDrop(): void {}
}

const clients: HttpClient[] = [];

/** Closes the clients and the servers of each test of a file. */
export function cleanUpClients(): void {
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await stopServers();
  });
}

export const requestTo = (origin: Origin, method = 'GET', headers = {}) =>
  encodeRequest(origin, { method, path: '/x', headers, body: undefined });

export function createClient(
  url: string,
  { connections = 1, timeoutMs = 300_000, addresses = ['127.0.0.1'], method = 'GET', headers = {} } = {},
) {
  const origin = parseOrigin(url);
  const recorder = new Results();
  const client = new HttpClient({
    origin,
    // Without a look-up, which would find only the address of the origin.
    addresses: Object.assign(new Addresses(origin, addresses), { refresh: async () => {} }),
    requests: [requestTo(origin, method, headers)],
    connections,
    timeoutMs,
    recorder,
  });
  clients.push(client);
  return { client, recorder };
}

/** Sends one request after the other, and waits for the end of each. */
export async function send(client: HttpClient, requests = 1): Promise<void> {
  for (let n = 0; n < requests; n++) {
    expect(client.start(0, performance.now())).toBe(true);
    await until('the request has ended', () => client.inFlight === 0);
  }
}
