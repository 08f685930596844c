/** Serves `/metrics` on the API's port of a worker. A worker has only its own counts; the primary has the counts of all. */
import { request as httpRequest, type RequestListener } from 'node:http';
import { pipeline } from 'node:stream';

/** The headers that select an exposition and describe it. All others concern only one connection. */
const ASKED = ['accept', 'accept-encoding'];
const ANSWERED = ['content-type', 'content-encoding', 'content-length', 'vary', 'allow', 'retry-after'];

const only = (names: readonly string[], headers: NodeJS.Dict<string | string[]>) =>
  names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const]));

/** @param port the local port that serves the exposition on any path */
export const createRelay =
  (port: number): RequestListener =>
  ({ method, url = '', headers }, response) => {
    const path = `/metrics?${url.split('?')[1] ?? ''}`;
    const asked = Object.fromEntries(only(ASKED, headers));
    const relayed = httpRequest({ host: '127.0.0.1', port, method, path, headers: asked }, (answer) => {
      response.statusCode = answer.statusCode ?? 502;
      for (const [name, value] of only(ANSWERED, answer.headers)) response.setHeader(name, value);
      pipeline(answer, response, () => {});
    });
    relayed.on('error', () => {
      if (!response.headersSent) response.statusCode = 502;
      response.end();
    });
    response.once('close', () => relayed.destroy());
    relayed.end();
  };
