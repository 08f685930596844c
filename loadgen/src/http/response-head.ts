/** Reads the head of an HTTP/1.1 response: its status and how its body ends (RFC 9112, 6.3). Other headers are only checked. */

/** The server broke the protocol. The connection cannot be used again. */
export class ProtocolError extends Error {
  override name = 'ProtocolError';
}

export type BodyFraming = 'none' | 'length' | 'chunked' | 'until-close';

export interface Head {
  readonly status: number;
  readonly framing: BodyFraming;
  readonly lengthBytes: number;
  readonly keepAlive: boolean;
  /** From `Keep-Alive: timeout=N`: how long the server promises to keep an idle connection, in seconds. */
  readonly keepAliveSeconds: number | undefined;
}

/**
 * @param text status line and headers, without the empty line
 * @throws ProtocolError
 */
export function parseHead(text: string): Head {
  const lines = text.split('\r\n');
  const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: .*)?$/.exec(lines[0] ?? '');
  if (statusLine === null) throw new ProtocolError('bad status line');
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (field?.[1] === undefined || field[2] === undefined) throw new ProtocolError('bad header line');
    const name = field[1].toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? field[2] : `${before},${field[2]}`);
  }
  const status = Number(statusLine[2]);
  const transferEncoding = headers.get('transfer-encoding')?.toLowerCase();
  const { framing, lengthBytes } = bodyFraming(status, transferEncoding, headers.get('content-length'));
  const connection = (headers.get('connection') ?? '').toLowerCase().split(/[ \t]*,[ \t]*/);
  const keepAliveSeconds = /timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1];
  const persistent =
    statusLine[1] === '1' ? !connection.includes('close') : connection.includes('keep-alive');
  // Both framings at once is how requests are smuggled: such a connection is not trusted with a second response.
  const ambiguous = transferEncoding !== undefined && headers.has('content-length');
  return {
    status,
    framing,
    lengthBytes,
    keepAlive: persistent && !ambiguous && framing !== 'until-close',
    keepAliveSeconds: keepAliveSeconds === undefined ? undefined : Number(keepAliveSeconds),
  };
}

function bodyFraming(
  status: number,
  transferEncoding: string | undefined,
  contentLength: string | undefined,
) {
  const of = (framing: BodyFraming, lengthBytes = 0) => ({ framing, lengthBytes });
  if (status < 200 || status === 204 || status === 304) return of('none');
  if (transferEncoding !== undefined)
    return of(/(^|[ \t,])chunked$/.test(transferEncoding) ? 'chunked' : 'until-close');
  if (contentLength === undefined) return of('until-close');
  // A list of equal lengths is what a proxy makes of a doubled header; RFC 9110, 8.6 allows it.
  const lengths = new Set(contentLength.split(/[ \t]*,[ \t]*/));
  const [length] = lengths;
  if (lengths.size !== 1 || length === undefined || !/^\d{1,15}$/.test(length))
    throw new ProtocolError('bad Content-Length');
  return of('length', Number(length));
}
