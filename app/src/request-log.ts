/**
 * Log lines about requests, and the id with which a client and an operator can refer to the same request: it is in the log line and
 * in the response's `X-Request-Id`. A request without a log line gets no id, so that requests that are not logged cost nothing.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { outcome } from 'express-exact-metrics';
import type { Logger } from 'pino';

const HEADER = 'X-Request-Id';

/** An id from the client is used if it is harmless in headers, logs and searches. */
const SANE_ID = /^[A-Za-z0-9._-]{1,64}$/;

const MAX_URL_LENGTH = 200;

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/;

/**
 * Limits the lines per second; lines above the limit are counted and dropped.
 * @param clock milliseconds, monotonic
 * @returns a function that requests a line: it returns the number of lines dropped since the last one, or undefined to drop this one
 */
export function createLineBudget(
  linesPerSecond: number,
  clock = () => performance.now(),
): () => number | undefined {
  let second = Number.NEGATIVE_INFINITY;
  let written = 0;
  let leftOut = 0;
  return () => {
    const now = Math.floor(clock() / 1000);
    if (now !== second) {
      second = now;
      written = 0;
    }
    if (written >= linesPerSecond) {
      leftOut++;
      return undefined;
    }
    written++;
    const before = leftOut;
    leftOut = 0;
    return before;
  };
}

/** The id of a request. Sets it on the response, unless its headers were already sent. */
export function identify(request: IncomingMessage, response: ServerResponse): string {
  const known = response.getHeader(HEADER);
  if (typeof known === 'string') return known;
  const own = request.headers['x-request-id'];
  const id = typeof own === 'string' && SANE_ID.test(own) ? own : randomUUID();
  if (!response.headersSent) response.setHeader(HEADER, id);
  return id;
}

/** The properties of a request in a log line, limited to a few hundred characters. Exemplars have the same trace id. */
export function describeRequest({ method, originalUrl: url, headers }: Request) {
  const traceId = TRACEPARENT.exec(String(headers.traceparent))?.[1];
  return { traceId, method, url: url.length > MAX_URL_LENGTH ? `${url.slice(0, MAX_URL_LENGTH)}...` : url };
}

/** One line per finished request, with the same code as in the metrics. Responses from 500 up have a separate limit. */
export function createAccessLog(log: Pick<Logger, 'info' | 'error'>, linesPerSecond: number): RequestHandler {
  const budgets = { info: createLineBudget(linesPerSecond), error: createLineBudget(linesPerSecond) };
  return (request, response, next) => {
    const startMs = performance.now();
    const requestId = identify(request, response);
    response.once('close', () => {
      const status = outcome(response);
      const level = status >= 500 ? 'error' : 'info';
      const leftOut = budgets[level]();
      if (leftOut === undefined) return;
      const durationMs = Math.round(performance.now() - startMs);
      log[level]({ requestId, ...describeRequest(request), status, durationMs, leftOut }, 'request');
    });
    next();
  };
}
