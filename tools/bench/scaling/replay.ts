/** Many scrape targets from one: each of its ports answers with the exposition of one instrumented application. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { startServer } from '../lib/server-process.ts';

const script = new URL('../middleware/server.ts', import.meta.url).pathname;

/** What an application with so many routes exposes. */
export async function expositionOf(routes: string): Promise<string> {
  const server = await startServer(script, ['package', routes]);
  const port = await server.ask<number>('metrics');
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await server.stop();
  return text;
}

/** @returns the ports of `replicas` targets, and how to close them */
export async function replay(exposition: string, replicas: number) {
  const gzipped = gzipSync(exposition, { level: 1 });
  const headers = { 'content-type': 'text/plain; version=0.0.4', 'content-encoding': 'gzip' };
  const servers = Array.from({ length: replicas }, () =>
    createServer((_request, response) => response.writeHead(200, headers).end(gzipped)),
  );
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    ports: servers.map((server) => (server.address() as AddressInfo).port),
    close() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}
