/** The other side of `server-process.ts`: listens on a free port, reports its usage, ends with its parent. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Usage } from './server-process.ts';

/** @param answers what this server tells beside its usage, by question */
export function serve(handler: RequestListener, answers: Readonly<Record<string, () => unknown>> = {}): void {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('message', async (question: string) => {
    process.send?.((await answers[question]?.()) ?? usage());
  });
  process.on('disconnect', () => process.exit(0));
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, atMs: performance.now() };
}
