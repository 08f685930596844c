/** Servers of a test, on ports that the system chooses. Containers reach some of them as host.docker.internal. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Server } from 'node:net';

/** The port of a server, as soon as it listens. */
export async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export type HostServer = Awaited<ReturnType<typeof serveContainers>>;

export async function serveContainers(listener: RequestListener) {
  const server = createServer(listener).listen(0);
  return {
    /** The address that a container connects to. */
    address: `host.docker.internal:${await portOf(server)}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A target with this exposition. */
export const serveExposition = (text: string) =>
  serveContainers((_request, response) =>
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(text),
  );
