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

/** @throws when a request fails */
export async function load(server: ServerProcess, seconds: number): Promise<Throughput> {
  const before = await server.usage();
  const result = await autocannon({ url: server.url, connections: CONNECTIONS, duration: seconds, requests });
  const after = await server.usage();
  if (result.errors > 0) throw new Error(`${result.errors} requests to ${server.url} failed`);
  const total = result.requests.total;
  return { perSecond: total / result.duration, cpuMicros: (after.cpuMicros - before.cpuMicros) / total };
}
