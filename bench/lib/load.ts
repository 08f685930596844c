/** One run of load on a server: the lab's requests over kept-alive connections, as fast as they are answered. */
import { Pool } from 'undici';
import type { ServerProcess } from './server-process.ts';

export const CONNECTIONS = 32;

const requests = [
  { method: 'POST', path: '/products' },
  { method: 'GET', path: '/products' },
  { method: 'GET', path: '/cart' },
  { method: 'POST', path: '/cart' },
  { method: 'GET', path: '/cars/7' },
  { method: 'GET', path: '/missing' },
] as const;

export interface Throughput {
  readonly perSecond: number;
  /** CPU time of the server for each request, all its threads, in microseconds. */
  readonly cpuMicros: number;
}

/**
 * Sends `amount` requests. Runs are counted in requests and kept short, so that many rounds fit between the moments at
 * which a shared machine is slow. (autocannon, which the generator is compared with, measures whole seconds only.)
 * @throws when a request fails
 */
export async function load(server: ServerProcess, amount: number): Promise<Throughput> {
  const pool = new Pool(server.url, { connections: CONNECTIONS });
  const before = await server.usage();
  const start = performance.now();
  let sent = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (sent < amount) {
        const request = requests[sent++ % requests.length] as (typeof requests)[number];
        const { body } = await pool.request(request);
        await body.dump();
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const after = await server.usage();
  await pool.close();
  return { perSecond: amount / seconds, cpuMicros: (after.cpuMicros - before.cpuMicros) / amount };
}
