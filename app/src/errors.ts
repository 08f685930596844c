/** What the API answers when no route does, and when one fails. */
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';

/** 404 for every path that no route has. */
export const notFound: RequestHandler = (_request, response) => {
  response.status(404).type('text/plain').send('page not found');
};

/** 500 for whatever a handler throws or rejects with; the reason goes to the log, not to the client. */
export function createErrorHandler(log: Pick<Logger, 'error'>): ErrorRequestHandler {
  return (error, request, response, next) => {
    // The router's own, for a malformed percent-encoding in a parameter: such a path is no route's either.
    if (error instanceof URIError && 'status' in error) return notFound(request, response, next);
    log.error({ err: error, method: request.method, url: request.originalUrl }, 'request failed');
    // Half a response cannot become an error page: cut it, so that the client notices.
    if (response.headersSent) response.destroy();
    else response.status(500).type('text/plain').send('internal server error');
    return undefined;
  };
}
