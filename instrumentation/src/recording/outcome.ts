/** How the answer to a request has ended. */
import type { ServerResponse } from 'node:http';

/** The code of a request whose client closed before the response was complete (nginx's "client closed request"). */
export const CLIENT_CLOSED = 499;

/**
 * The code that a closed response counts as: its own when it was sent in full. Otherwise somebody cut it: 499 when the
 * connection was ended or broken from the outside, 500 when this process did it (a handler that failed half-way and
 * destroyed the response, or a shutdown whose grace time was over).
 */
export function outcome(response: ServerResponse): number {
  const { socket } = response.req;
  // Node 22 calls a response finished, too, whose last bytes were thrown away with the socket.
  if (response.writableFinished && !socket.destroyed) return response.statusCode;
  // `response.destroy(error)` hands its error on to the socket.
  const brokenOutside = socket.errored !== null && socket.errored !== response.errored;
  return brokenOutside || socket.readableEnded ? CLIENT_CLOSED : 500;
}
