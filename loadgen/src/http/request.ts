/** The bytes of a request, made once per target: during a run nothing is formatted. */
import type { Origin } from './origin.ts';

export interface EncodedRequest {
  readonly bytes: Buffer;
  /** Its answer has no body, whatever the fields of the answer say. */
  readonly isHead: boolean;
  /** It says `Connection: close`, so it is the last on its connection (RFC 9112, 9.6). */
  readonly closes: boolean;
}

export interface RequestParts {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** A `Host` or `User-Agent` among the headers replaces ours. The body's length is set here and nowhere else. */
export function encodeRequest(origin: Origin, { method, path, headers, body }: RequestParts): EncodedRequest {
  const own = Object.entries(headers);
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  const content = Buffer.from(body ?? '', 'utf8');
  const lines = [`${method} ${origin.prefix}${path} HTTP/1.1`];
  if (!names.has('host')) lines.push(`Host: ${origin.host}`);
  if (!names.has('user-agent')) lines.push('User-Agent: exact-load');
  for (const [name, value] of own) lines.push(`${name}: ${value}`);
  // POST, PUT and PATCH say their length even when it is 0: some servers answer 411 otherwise (RFC 9110, 8.6).
  if (body !== undefined || /^(POST|PUT|PATCH)$/.test(method))
    lines.push(`Content-Length: ${content.length}`);
  return {
    bytes: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content]),
    isHead: method === 'HEAD',
    closes: own.some(
      ([name, value]) => /^connection$/i.test(name) && /(?:^|[ \t,])close(?:[ \t,]|$)/i.test(value),
    ),
  };
}
