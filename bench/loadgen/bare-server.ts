/**
 * The server under the load generators: raw TCP and a prepared answer, so that not it but the client is the bottleneck.
 * It also is the witness of what arrived: how many requests, when, and over how many connections.
 *
 * Arguments: [stallAfterMs stallMs], for a server that accepts everything and answers nothing for a while.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

const [stallAfterMs = Number.POSITIVE_INFINITY, stallMs = 0] = process.argv.slice(2).map(Number);
const ANSWER = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\nproduct',
);

/** Every arrival since the witness was last asked, in ms; the first opens the time of a stall. */
let arrivalsMs: number[] = [];
let stalled: Socket[] = [];
let stallTimer: NodeJS.Timeout | undefined;

function isStalled(nowMs: number): boolean {
  const sinceFirstMs = nowMs - (arrivalsMs[0] ?? nowMs);
  return sinceFirstMs >= stallAfterMs && sinceFirstMs < stallAfterMs + stallMs;
}

function onRequest(socket: Socket): void {
  const nowMs = performance.now();
  arrivalsMs.push(nowMs);
  if (!isStalled(nowMs)) {
    socket.write(ANSWER);
    return;
  }
  stalled.push(socket);
  stallTimer ??= setTimeout(() => {
    for (const waiting of stalled) waiting.write(ANSWER);
    stalled = [];
    stallTimer = undefined;
  }, (arrivalsMs[0] ?? 0) + stallAfterMs + stallMs - nowMs);
}

const server = createServer({ noDelay: true }, (socket) => {
  // None of the clients pipelines, and each writes a request at once: a chunk is a request.
  socket.on('data', () => onRequest(socket));
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.((server.address() as AddressInfo).port);
process.on('message', () => {
  process.send?.({ arrivalsMs });
  arrivalsMs = [];
});
process.on('disconnect', () => process.exit(0));
