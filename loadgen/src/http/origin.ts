/** Where requests go: the parsed base URL of the target. */
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseUrl } from '../common/url.ts';

/** How to speak TLS, where it is not as usual; certificates and keys are PEM. */
export interface TlsOptions {
  /** Certificate authorities, instead of those of Node. */
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
  /** Path in front of every target's path, without a slash at the end. */
  readonly prefix: string;
  readonly tls?: TlsOptions | undefined;
}

/** @throws UsageError when the text is not an http or https URL from which a request can be built */
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

/** Begins to connect. @param host an address of the origin, or its name */
export function openSocket(
  { secure, hostname, port, tls }: Origin,
  host: string,
  others: Partial<TcpNetConnectOpts> = {},
): Socket {
  const options = { ...others, host, port };
  if (!secure) return connect(options);
  // The name, not the address, is what the certificate is for. An address as server name is not allowed (RFC 6066).
  const servername = isIP(hostname) ? '' : hostname;
  return connectTls({ ...options, ...tls, servername, ALPNProtocols: ['http/1.1'] });
}
