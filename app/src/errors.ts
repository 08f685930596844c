/** What the API answers when no route does, and when one fails. */
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';
import { createLineBudget, describeRequest, identify } from './request-log.ts';

/** Failures come in floods, and a log that fills the disk is a second one. */
const FAILURES_PER_SECOND = 100;

/** 404 for every path that no route has. */
export const notFound: RequestHandler = (_request, response) => {
  response.status(404).type('text/plain').send('page not found');
};

/** 500 for anything that a handler throws or rejects with; the reason goes to the log, not to the client. */
export function createErrorHandler(log: Pick<Logger, 'error'>): ErrorRequestHandler {
  const takeLine = createLineBudget(FAILURES_PER_SECOND);
  return (error, request, response, next) => {
    // The router's own, for a malformed percent-encoding in a parameter: such a path is no route's either.
    if (error instanceof URIError && 'status' in error) return notFound(request, response, next);
    const requestId = identify(request, response);
    const leftOut = takeLine();
    if (leftOut !== undefined)
      log.error({ err: error, requestId, ...describeRequest(request), leftOut }, 'request failed');
    // Half a response cannot become an error page: cut it, so that the client notices.
    if (response.headersSent) response.destroy();
    else response.status(500).type('text/plain').send('internal server error');
    return undefined;
  };
}
