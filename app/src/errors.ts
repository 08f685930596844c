/** The responses of the API if no route matches, and if a route fails. */
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';
import { createLineBudget, describeRequest, identify } from './request-log.ts';

/** Limited, because many simultaneous failures must not fill the disk with log lines. */
const FAILURES_PER_SECOND = 100;

/** 404 for every path without a route. */
export const notFound: RequestHandler = (_request, response) => {
  response.status(404).type('text/plain').send('page not found');
};

/** 500 for everything that a handler throws or rejects with. The reason is logged and not sent to the client. */
export function createErrorHandler(log: Pick<Logger, 'error'>): ErrorRequestHandler {
  const takeLine = createLineBudget(FAILURES_PER_SECOND);
  return (error, request, response, next) => {
    // Thrown by the router for malformed percent-encoding in a parameter: such a path matches no route.
    if (error instanceof URIError && 'status' in error) return notFound(request, response, next);
    const requestId = identify(request, response);
    const leftOut = takeLine();
    if (leftOut !== undefined)
      log.error({ err: error, requestId, ...describeRequest(request), leftOut }, 'request failed');
    // A partial response cannot become an error page, so it is cut to make the failure visible to the client.
    if (response.headersSent) response.destroy();
    else response.status(500).type('text/plain').send('internal server error');
    return undefined;
  };
}
