/** HTTP servers of a test that containers reach as host.docker.internal. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HostServer {
  /** The address that a container connects to. */
  readonly address: string;
  close(): void;
}

export async function serveContainers(listener: RequestListener): Promise<HostServer> {
  const server = createServer(listener).listen(0);
  await once(server, 'listening');
  return {
    address: `host.docker.internal:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A target with this exposition. */
export const serveExposition = (text: string): Promise<HostServer> =>
  serveContainers((_request, response) =>
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(text),
  );
