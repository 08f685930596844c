/** Runs the API on a free port and reads its metrics. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import pino from 'pino';
import { DEADLINE_MS } from '../../test/support/until.ts';
import { type AppParts, createApp } from '../src/app.ts';
import { routes } from '../src/routes.ts';
import { createServer } from '../src/server.ts';

// Longer than the deadline, whose error says what was waited for.
jest.setTimeout(3 * DEADLINE_MS);

export const silent = pino({ level: 'silent' });

export interface TestApp {
  readonly port: number;
  readonly url: string;
  /** The exposition as text, of the families named. */
  scrape(...families: string[]): Promise<string>;
  close(): Promise<void>;
}

/** @param parts default: the routes of the contract, without a log */
export async function startApp(parts: Partial<AppParts> = {}): Promise<TestApp> {
  const { app, metrics } = createApp({ routes, log: silent, ...parts });
  const servers = [createServer(app).listen(0, '127.0.0.1'), metrics.listen(0, '127.0.0.1')] as const;
  const [port, metricsPort] = await Promise.all(
    servers.map(async (server) => {
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  return {
    port: port as number,
    url: `http://127.0.0.1:${port}`,
    async scrape(...families) {
      const query = families.map((name) => `name[]=${name}`).join('&');
      return (await fetch(`http://127.0.0.1:${metricsPort}/?${query}`)).text();
    },
    async close() {
      for (const server of servers) {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        await closed;
      }
    },
  };
}
