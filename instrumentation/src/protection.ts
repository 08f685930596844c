/**
 * Limits the cost of clients that pipeline requests and do not read the responses. Node parses everything that one read
 * returns, 2,000 requests and more in 64 KiB, and only then checks whether the responses are being read. No setting changes
 * that: `highWaterMark` is checked after the read, and `maxRequestsPerSocket` also counts completed requests and refuses
 * all further ones. Requests are therefore passed to Node's parser one at a time. While too many are waiting, the remaining
 * data stays in the stream, which makes the kernel and thereby the client wait. No request is refused, and no connection is
 * cut.
 */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The number of requests of a connection that may wait for earlier responses. Browsers have none, clients that pipeline a
 * handful.
 */
const MAX_WAITING = 16;

/**
 * A read of this size means that the client sends faster than the server reads, usually a large body. Node reads up to 64
 * KiB.
 */
const LARGE_READ_BYTES = 32_768;

/** Ends the head of a request; a body or the next head follows. */
const HEAD_END = Buffer.from('\r\n\r\n');

interface ParsedSocket extends Socket {
  /** Node's flag: its parser accepts no data until the client has read more of the responses. */
  _paused?: boolean;
}

/** Call it before `server` has connections. A server with `upgrade` listeners stays unchanged. */
export function protect(server: Server): void {
  const waiting = new WeakMap<Socket, number>();
  const isFull = (socket: Socket) => (waiting.get(socket) ?? 0) >= MAX_WAITING;

  /** The paused connections, resumed one at a time, so that the event loop serves all others after each handful of requests. */
  const held = new Set<ParsedSocket>();
  function readNext(): void {
    const [socket] = held;
    if (!socket) return;
    held.delete(socket);
    socket._paused = false;
    socket.resume();
    if (held.size > 0) setImmediate(readNext);
  }
  function readOn(socket: ParsedSocket): void {
    if (held.size === 0) setImmediate(readNext);
    held.add(socket);
  }

  const count = ({ socket }: { readonly socket: ParsedSocket }, response: ServerResponse) => {
    // The request is first in line, like every request of a client that does not pipeline.
    if (response.socket !== null) return;
    waiting.set(socket, (waiting.get(socket) ?? 0) + 1);
    response.once('close', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      if (socket.isPaused() && !isFull(socket)) readOn(socket);
    });
  };
  server.prependListener('request', count).prependListener('checkExpectation', count);

  server.on('connection', (socket: ParsedSocket) => {
    const [parse] = socket.listeners('data');
    if (!parse || server.listenerCount('upgrade') > 0) return;
    socket.removeListener('data', parse as () => void).on('data', (chunk: Buffer) => {
      for (let from = 0; from < chunk.length && !socket.destroyed; ) {
        if (socket._paused || isFull(socket)) {
          socket.pause().unshift(chunk.subarray(from));
          return;
        }
        const end = chunk.indexOf(HEAD_END, from);
        const to = end < 0 ? chunk.length : end + HEAD_END.length;
        parse.call(socket, chunk.subarray(from, to));
        from = to;
      }
      // Large bodies take the same turns. A socket that Node has paused, because a handler does not read its body, stays paused.
      if (chunk.length >= LARGE_READ_BYTES && !socket.isPaused()) {
        socket.pause();
        // Otherwise the request with that body would resume the socket at once.
        socket._paused = true;
        readOn(socket);
      }
    });
  });
}
