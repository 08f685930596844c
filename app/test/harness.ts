/** Runs the service on free ports, in the process of the test, and stops it after the test. */
import { afterEach } from '@jest/globals';
import pino, { type Logger } from 'pino';
import { parseConfig } from '../src/config.ts';
import { type Route, routes } from '../src/routes.ts';
import { type Service, startService } from '../src/service.ts';

let running: Service[] = [];
afterEach(async () => {
  await Promise.all(running.map((service) => service.stop()));
  running = [];
});

/** @param environment settings; by default it uses free ports and stops immediately */
export async function start(
  environment: Record<string, string> = {},
  table: readonly Route[] = routes,
  log: Logger = pino({ level: 'silent' }),
) {
  const immediate = { SHUTDOWN_GRACE_MS: '0', SHUTDOWN_SCRAPE_WAIT_MS: '0' };
  const config = parseConfig({ API_PORT: '0', METRICS_PORT: '0', ...immediate, ...environment });
  const service = await startService(config, table, log);
  running.push(service);
  const metrics = `http://127.0.0.1:${service.metricsPort}`;
  return {
    ...service,
    api: `http://127.0.0.1:${service.apiPort}`,
    metrics,
    /** The exposition as text, of the families named. */
    scrape: (...families: string[]) =>
      textOf(`${metrics}/?${families.map((name) => `name[]=${name}`).join('&')}`),
  };
}

export const textOf = async (url: string) => (await fetch(url)).text();
export const statusOf = async (url: string, method = 'GET') => (await fetch(url, { method })).status;
