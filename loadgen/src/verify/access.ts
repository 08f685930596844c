/** How to get into a Prometheus that requires credentials, as its own clients do: basic, a bearer token, another certificate authority. */
import { isNativeError } from 'node:util/types';

export interface Access {
  /** The value of the header, for credentials that came in the URL. */
  readonly basic?: string;
  /** Asked before each request: tokens are renewed. */
  readonly bearerToken?: () => Promise<string>;
  /** PEM, in the place of the system's certificate authorities. */
  readonly ca?: string | undefined;
}

export async function authorize({ basic, bearerToken }: Access): Promise<string | undefined> {
  return basic ?? (bearerToken && `Bearer ${await bearerToken()}`);
}

/** What a 401 or 403 means, and what helps. */
export function explainRefusal({ basic, bearerToken }: Access): string {
  if (basic !== undefined) return 'refuses the user and password in --prometheus';
  if (bearerToken !== undefined) return 'refuses the bearer token';
  return 'asks for credentials: give user and password in the URL, --prometheus-token-file or PROMETHEUS_TOKEN';
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
