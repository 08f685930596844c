/**
 * The server under the load generators: raw TCP and a prepared answer, so that not it but the client is the bottleneck.
 * It also is the witness of what arrived, and when.
 *
 * Arguments: [stallAfterMs stallMs], for a server that from some time after its first request accepts everything and
 * answers nothing for a while. Questions: `count`, and `arrivals`, which also begins anew.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

const [stallAfterMs = Number.POSITIVE_INFINITY, stallMs = 0] = process.argv.slice(2).map(Number);
const ANSWER = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\nproduct',
);

/** In ms, of every request since the last time that `arrivals` was asked. */
let arrivalsMs: number[] = [];
let stalled: Socket[] = [];

function onRequest(socket: Socket): void {
  const nowMs = performance.now();
  arrivalsMs.push(nowMs);
  const sinceFirstMs = nowMs - (arrivalsMs[0] as number);
  if (sinceFirstMs < stallAfterMs || sinceFirstMs >= stallAfterMs + stallMs) {
    socket.write(ANSWER);
    return;
  }
  if (stalled.length === 0) setTimeout(endStall, stallAfterMs + stallMs - sinceFirstMs);
  stalled.push(socket);
}

function endStall(): void {
  for (const socket of stalled) socket.write(ANSWER);
  stalled = [];
}

const server = createServer({ noDelay: true }, (socket) => {
  // No client here pipelines, and each writes a request at once: a chunk is a request.
  socket.on('data', () => onRequest(socket));
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.on('message', (question) => {
  process.send?.(question === 'count' ? arrivalsMs.length : arrivalsMs);
  if (question === 'arrivals') arrivalsMs = [];
});
process.on('disconnect', () => process.exit(0));
process.send?.((server.address() as AddressInfo).port);
