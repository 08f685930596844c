/** The bytes of a request, encoded once per target, so that nothing is formatted during a run. */
import type { Origin } from './origin.ts';

export interface EncodedRequest {
  readonly bytes: Buffer;
  /** The response has no body, whatever its headers state. */
  readonly isHead: boolean;
  /** The request has `Connection: close`, so it is the last on its connection (RFC 9112, 9.6). */
  readonly closes: boolean;
  /** The offset at which the ids of the `traceparent` are written for each request; undefined if the request has none of ours. */
  readonly tracedAt: number | undefined;
}

export interface RequestParts {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Version 00, space for the ids, and the flag of a sampled trace. https://www.w3.org/TR/trace-context/ */
const TRACEPARENT = { start: 'traceparent: 00-', ids: '-'.repeat(49), end: '-01' };

/**
 * A `Host`, `User-Agent` or `traceparent` among the headers replaces the default. Only this function sets the length of the body.
 * @param isTraced whether to reserve space for ids, see {@link withTrace}
 */
export function encodeRequest(
  origin: Origin,
  { method, path, headers, body }: RequestParts,
  isTraced = false,
): EncodedRequest {
  const own = Object.entries(headers);
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const content = Buffer.from(body ?? '', 'utf8');
  const lines = [`${method} ${origin.prefix}${path} HTTP/1.1`];
  let tracedAt: number | undefined;
  if (isTraced && !names.has('traceparent')) {
    const { start, ids, end } = TRACEPARENT;
    tracedAt = `${lines[0]}\r\n${start}`.length;
    lines.push(start + ids + end);
  }
  if (!names.has('host')) lines.push(`Host: ${origin.host}`);
  if (!names.has('user-agent')) lines.push('User-Agent: exact-load');
  for (const [name, value] of own) lines.push(`${name}: ${value}`);
  // POST, PUT and PATCH state their length even if it is 0: otherwise some servers respond with 411 (RFC 9110, 8.6).
  if (body !== undefined || /^(POST|PUT|PATCH)$/.test(method))
    lines.push(`Content-Length: ${content.length}`);
  return {
    bytes: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content]),
    isHead: method === 'HEAD',
    closes: own.some(
      ([name, value]) => /^connection$/i.test(name) && /(?:^|[ \t,])close(?:[ \t,]|$)/i.test(value),
    ),
    tracedAt,
  };
}

/** The bytes of a request with the trace id `traceId` of 32 digits; its second half is also the span id. */
export function withTrace({ bytes, tracedAt = 0 }: EncodedRequest, traceId: string): Buffer {
  const traced = Buffer.from(bytes);
  traced.write(`${traceId}-${traceId.slice(16)}`, tracedAt, 'latin1');
  return traced;
}
