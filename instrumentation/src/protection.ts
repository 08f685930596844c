/**
 * Bounds what clients that pipeline requests and do not take the answers cost. Node parses all that one read brings, 2,000
 * requests and more in 64 KiB, and only then looks at whether the answers are taken. None of its settings changes that:
 * `highWaterMark` is looked at after the read, and `maxRequestsPerSocket` counts answered requests too and refuses the rest.
 * So requests are handed to Node's parser one by one, and while too many wait, the rest stays in the stream: the kernel, and
 * with it the client, waits. No request is refused, and no connection is cut.
 */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for the answers before them. Browsers have none, clients that pipeline a handful. */
const MAX_WAITING = 16;

/** So much in one read comes from a client that sends faster than it is read, a large body usually: Node reads up to 64 KiB. */
const LARGE_READ_BYTES = 32_768;

/** Ends the head of a request; what follows it is a body or the next head. */
const HEAD_END = Buffer.from('\r\n\r\n');

interface ParsedSocket extends Socket {
  /** Node's own flag: its parser takes nothing until the client has taken more of the answers. */
  _paused?: boolean;
}

/** To be called before `server` has connections. A server with `upgrade` listeners is left as it is. */
export function protect(server: Server): void {
  const waiting = new WeakMap<Socket, number>();
  const isFull = (socket: Socket) => (waiting.get(socket) ?? 0) >= MAX_WAITING;

  /** One connection at a time, so that the event loop looks at all others after each handful of requests. */
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
    // The first in line, and so every request of a client that does not pipeline.
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
      // The same turns for large bodies; a socket that Node has paused, since a handler does not take its body, stays so.
      if (chunk.length >= LARGE_READ_BYTES && !socket.isPaused()) {
        socket.pause();
        // Otherwise the request that the body belongs to resumes it at once, for more.
        socket._paused = true;
        readOn(socket);
      }
    });
  });
}
