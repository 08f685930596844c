/** The destination of requests: the parsed base URL of the target. */
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseUrl } from '../common/url.ts';

/** TLS settings that differ from the defaults; certificates and keys are PEM. */
export interface TlsOptions {
  /** Certificate authorities that replace Node's. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
}

export interface Origin {
  readonly url: string;
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** Value of the Host header. */
  readonly host: string;
  /** The prefix of every target's path, without a trailing slash. */
  readonly prefix: string;
  readonly tls?: TlsOptions | undefined;
}

/** @throws UsageError if the text is not an http or https URL to which a path can be appended */
export function parseOrigin(text: string, tls?: TlsOptions): Origin {
  const remedy = 'a pattern file can set headers';
  const url = parseUrl('--target', text, 'http://localhost:5001', remedy);
  const { href, protocol, hostname, port, host, pathname } = url;
  const secure = protocol === 'https:';
  return {
    url: href.replace(/\/+$/, ''),
    secure,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    host,
    prefix: pathname.replace(/\/+$/, ''),
    tls,
  };
}

/** Opens a socket. @param host an address of the origin, or its name */
export function openSocket(
  { secure, hostname, port, tls }: Origin,
  host: string,
  others: Partial<TcpNetConnectOpts> = {},
): Socket {
  const options = { ...others, host, port };
  if (!secure) return connect(options);
  // The certificate is issued for the name, not for the address. An address is not allowed as a server name (RFC 6066).
  const servername = isIP(hostname) ? '' : hostname;
  return connectTls({ ...options, ...tls, servername, ALPNProtocols: ['http/1.1'] });
}
