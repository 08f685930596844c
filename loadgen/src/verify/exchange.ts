/**
 * One request to Prometheus, over HTTP or HTTPS, with the kinds of credentials that Prometheus' clients support. Does not use
 * `fetch`, which accepts neither a custom certificate authority nor every port. Follows no redirects, because the credentials are
 * only for the configured server.
 */
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { codeOf } from '../common/errors.ts';

export interface Access {
  /** The value of the header, for credentials from the URL. */
  readonly basic?: string | undefined;
  /** Called before each request, because tokens are renewed. */
  readonly bearerToken?: (() => Promise<string>) | undefined;
  /** A PEM file that replaces the system's certificate authorities. */
  readonly ca?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The target of a redirect. */
  readonly location: string;
  /** The body of the response, without credentials: the server may echo the request. */
  quote(said: string): string;
}

/** @throws Node's error of the connection */
export async function exchange(url: URL, access: Access, signal: AbortSignal): Promise<Answer> {
  const { basic, bearerToken, ca } = access;
  const authorization = basic ?? (bearerToken && `Bearer ${await bearerToken()}`);
  const headers = authorization === undefined ? {} : { authorization };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const get = url.protocol === 'https:' ? getHttps : getHttp;
    get(url, { headers, signal, ...(ca !== undefined && { ca }) }, resolve).once('error', reject);
  });
  const secret = authorization?.replace(/^\w+ /, '') ?? '';
  return {
    status: response.statusCode ?? 0,
    text: await text(response),
    location: response.headers.location ?? '',
    quote: (said) => (secret === '' ? said : said.replaceAll(secret, '***')),
  };
}

/** Explains a 401 or 403 and how to fix it. */
export function explainRefusal({ basic, bearerToken }: Access): string {
  if (basic !== undefined) return 'refuses the user and password in --prometheus';
  if (bearerToken !== undefined) return 'refuses the bearer token';
  return 'requires credentials: expected user and password in the URL, --prometheus-token-file or PROMETHEUS_TOKEN';
}

/** @returns undefined for a URL without credentials */
export function toBasic({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64')}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A literal percent sign.
  }
}

/** The codes of OpenSSL and Node for a server that is not trusted or does not speak TLS: waiting does not help. */
export function isTlsFailure(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO/.test(String(codeOf(error)));
}
