/** One run of load on a server: the lab's requests over kept-alive connections, as fast as they are answered. */
import autocannon from 'autocannon';
import type { ServerProcess } from './server-process.ts';

export const CONNECTIONS = 32;

const requests = [
  { method: 'POST' as const, path: '/products' },
  { method: 'GET' as const, path: '/products' },
  { method: 'GET' as const, path: '/cart' },
  { method: 'POST' as const, path: '/cart' },
  { method: 'GET' as const, path: '/cars/7' },
  { method: 'GET' as const, path: '/missing' },
];

export interface Throughput {
  readonly perSecond: number;
  /** CPU time of the server for each request, all its threads, in microseconds. */
  readonly cpuMicros: number;
}

/**
 * Sends `amount` requests. Runs are counted in requests and kept short, so that many rounds fit between the moments at
 * which a shared machine is slow.
 * @throws when a request fails
 */
export async function load(server: ServerProcess, amount: number): Promise<Throughput> {
  const before = await server.usage();
  const { errors, duration } = await autocannon({
    url: server.url,
    connections: CONNECTIONS,
    amount,
    requests,
  });
  const after = await server.usage();
  if (errors > 0) throw new Error(`${errors} requests to ${server.url} failed`);
  return { perSecond: amount / duration, cpuMicros: (after.cpuMicros - before.cpuMicros) / amount };
}
