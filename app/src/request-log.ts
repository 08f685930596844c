/**
 * Lines about requests, and the id by which a client and an operator speak of the same one: it is in the answer's `X-Request-Id`
 * and in the line. An answer without a line has none, so that what is not logged costs nothing.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { outcome } from 'express-exact-metrics';
import type { Logger } from 'pino';

const HEADER = 'X-Request-Id';

/** An id of the caller's own is taken over where it can do no harm in a header, a log or a search. */
const SANE_ID = /^[A-Za-z0-9._-]{1,64}$/;

const MAX_URL_LENGTH = 200;

/**
 * How many lines may be written in a second; those above it are counted and left out.
 * @param clock milliseconds, never going back
 * @returns what takes one: how many were left out since the last that was written; undefined where this one is to be left out
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

/** The id of a request, which its answer carries from now on, unless that has begun already. */
export function identify(request: IncomingMessage, response: ServerResponse): string {
  const known = response.getHeader(HEADER);
  if (typeof known === 'string') return known;
  const own = request.headers['x-request-id'];
  const id = typeof own === 'string' && SANE_ID.test(own) ? own : randomUUID();
  if (!response.headersSent) response.setHeader(HEADER, id);
  return id;
}

/** What a line says of a request: nothing that a client sends makes it longer than some hundred characters. */
export function describeRequest({ method, originalUrl: url }: Request) {
  return { method, url: url.length > MAX_URL_LENGTH ? `${url.slice(0, MAX_URL_LENGTH)}...` : url };
}

/** One line for each request that has ended, with the code that the metrics count it with. Answers from 500 up have lines of their own, which the others cannot use up. */
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
