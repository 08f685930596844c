/**
 * One request to Prometheus, over HTTP or HTTPS, with the credentials that its own clients know. Not `fetch`, which takes neither a
 * certificate authority of the caller nor every port. It follows no redirect: credentials are for the server they were given for.
 */
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { isNativeError } from 'node:util/types';

export interface Access {
  /** The value of the header, for credentials that came in the URL. */
  readonly basic?: string | undefined;
  /** Asked before each request: tokens are renewed. */
  readonly bearerToken?: (() => Promise<string>) | undefined;
  /** PEM, in the place of the system's certificate authorities. */
  readonly ca?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Of a redirect. */
  readonly location: string;
  /** What the server says, without the credentials: it may repeat what it was sent. */
  quote(said: string): string;
}

/** @throws what went wrong on the way, as Node has it */
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

/** What a 401 or 403 means, and what helps. */
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
    return text; // A percent sign that is only a percent sign.
  }
}

/** The codes of OpenSSL and of Node for a server that is not the one it should be, or speaks no TLS: waiting changes nothing. */
export function isTlsFailure(error: unknown): boolean {
  return (
    isNativeError(error) &&
    'code' in error &&
    /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO/.test(String(error.code))
  );
}
