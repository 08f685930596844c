/** Creates the client of Prometheus from the flags for credentials and certificates. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { codeOf, UsageError } from '../common/errors.ts';
import { Prometheus } from '../verify/prometheus.ts';

export interface AccessFlags {
  readonly prometheusTokenFile?: string;
  readonly prometheusCaFile?: string;
}

/** A bearer token (RFC 6750), without its line break. */
const TOKEN = /^[\w.~+/=-]+$/;

/** @throws UsageError for an invalid URL, and for a file that cannot be read */
export async function connectPrometheus(
  url: string,
  { prometheusTokenFile: tokenFile, prometheusCaFile: caFile }: AccessFlags,
  { PROMETHEUS_TOKEN: token }: Readonly<Record<string, string | undefined>>,
  retryMs: number,
): Promise<Prometheus> {
  const ca = caFile === undefined ? undefined : await readAuthorities('--prometheus-ca-file', caFile);
  const flag = '--prometheus-token-file';
  // The file is read again for each request, because a rotated token replaces it.
  const readToken = async () =>
    tokenFile === undefined
      ? checkToken('PROMETHEUS_TOKEN', token ?? '')
      : checkToken(flag, await readSecret(flag, tokenFile));
  const bearerToken = tokenFile !== undefined || token ? readToken : undefined;
  await bearerToken?.();
  return new Prometheus(url, { retryMs, ca, bearerToken });
}

/** @throws UsageError without the received text, which may be a secret even if it is invalid */
function checkToken(name: string, text: string): string {
  const token = text.trim();
  if (!TOKEN.test(token))
    throw new UsageError(`${name}: expected a bearer token on one line, got something else`);
  return token;
}

/** @throws UsageError if the file has no certificates */
export async function readAuthorities(flag: string, file: string): Promise<string> {
  const pem = await readSecret(flag, file);
  try {
    new X509Certificate(pem);
  } catch {
    throw new UsageError(`${flag}: expected certificates in PEM, got something else in ${file}`);
  }
  return pem;
}

/**
 * @throws UsageError with only the error code: if a user passes a token instead of its file, the token must not be printed as a
 * file name
 */
export async function readSecret(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${flag}: expected a file that can be read, got ${codeOf(error) ?? 'unreadable'}`);
  }
}
