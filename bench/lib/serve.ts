/** The other side of `server-process.ts`: listens on a free port, reports its usage, ends with its parent. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export function serve(handler: RequestListener): void {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicros: user + system });
  });
  process.on('disconnect', () => process.exit(0));
}
