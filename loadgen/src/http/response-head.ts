/**
 * Parses the head of an HTTP/1.1 response: its status, and how its body ends (RFC 9112, 6.3). Other fields are only validated.
 * docs/load-generator.md lists accepted and refused heads.
 */

/** The server broke the protocol. The connection cannot be used again. */
export class ProtocolError extends Error {
  override name = 'ProtocolError';
}

/** `invalid` is an error only if the response may have a body: the response to a HEAD has none, whatever its fields declare. */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'until-close' | 'invalid';

export interface Head {
  readonly status: number;
  readonly framing: BodyFraming;
  readonly lengthBytes: number;
  /** Whether the server accepts another request, provided that the body does not end with the connection. */
  readonly keepAlive: boolean;
  /** From `Keep-Alive: timeout=N`: how long the server promises to keep an idle connection, in seconds. */
  readonly keepAliveSeconds: number | undefined;
}

/**
 * @param text status line and field lines, each with the CRLF or LF that ends it, without the empty line
 * @throws ProtocolError
 */
export function parseHead(text: string): Head {
  const lines = text.split('\n').slice(0, -1);
  const [statusLine = '', ...fieldLines] = /\n[ \t]/.test(text) ? unfold(lines) : lines;
  const [, minor, digits] = /^HTTP\/1\.(\d) ([1-9]\d\d)(?: [^\0\r]*)?\r?$/.exec(statusLine) ?? [];
  if (digits === undefined) throw new ProtocolError('malformed status line');
  const fields = parseFields(fieldLines);
  const status = Number(digits);
  const transferEncoding = fields.get('transfer-encoding');
  const contentLength = fields.get('content-length');
  const connection = listOf(fields.get('connection'));
  const isPersistent = !connection.includes('close') && (minor !== '0' || connection.includes('keep-alive'));
  // Two framings in one response, or chunks in HTTP/1.0, may be a smuggled response, so the connection is not used again.
  const isSuspect = transferEncoding !== undefined && (contentLength !== undefined || minor === '0');
  const seconds = /(?:^|[ \t,;])timeout[ \t]*=[ \t]*"?(\d+)/i.exec(fields.get('keep-alive') ?? '')?.[1];
  return {
    status,
    ...bodyFraming(status, transferEncoding, contentLength),
    keepAlive: isPersistent && !isSuspect,
    keepAliveSeconds: seconds === undefined ? undefined : Number(seconds),
  };
}

/** A line that starts with white space continues the previous value (5.2); directly after the status line it is an error (2.2). */
function unfold(lines: readonly string[]): string[] {
  const unfolded: string[] = [];
  for (const line of lines) {
    const isFolded = (line.startsWith(' ') || line.startsWith('\t')) && unfolded.length > 1;
    if (isFolded) unfolded.push(`${unfolded.pop()?.replace(/\r$/, '')} ${line.trimStart()}`);
    else unfolded.push(line);
  }
  return unfolded;
}

function parseFields(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, given, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r]*?)[ \t]*\r?$/.exec(line) ?? [];
    if (given === undefined || value === undefined) throw new ProtocolError('malformed header line');
    const name = given.toLowerCase();
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before},${value}`);
  }
  return fields;
}

function bodyFraming(
  status: number,
  transferEncoding: string | undefined,
  contentLength: string | undefined,
): Pick<Head, 'framing' | 'lengthBytes'> {
  const of = (framing: BodyFraming, lengthBytes = 0) => ({ framing, lengthBytes });
  if (status < 200 || status === 204 || status === 304) return of('none');
  // `identity` meant "no coding" until RFC 7230 removed it.
  const coding = listOf(transferEncoding).findLast((name) => name !== 'identity');
  if (coding === 'chunked') return of('chunked');
  if (coding !== undefined) return of(/^chunked[ \t]*;/.test(coding) ? 'invalid' : 'until-close');
  if (contentLength === undefined) return of('until-close');
  if (/^\d+$/.test(contentLength)) return of('length', Number(contentLength));
  // A proxy may merge a repeated header into a list of equal lengths, which 6.3 allows.
  const [lengthBytes = Number.NaN, ...others] = new Set(listOf(contentLength).map(toLength));
  return Number.isNaN(lengthBytes) || others.length > 0 ? of('invalid') : of('length', lengthBytes);
}

function toLength(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** The elements of a list, without empty ones (RFC 9110, 5.6.1.2). */
function listOf(value: string | undefined): string[] {
  if (value === undefined) return [];
  return value
    .toLowerCase()
    .split(/[ \t]*,[ \t]*/)
    .filter((element) => element !== '');
}
