/** Reads and validates the PEM files of the TLS flags for the target. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { UsageError } from '../common/errors.ts';
import type { TlsOptions } from '../http/origin.ts';
import { readAuthorities, readSecret } from './connect-prometheus.ts';

export interface TlsFlags {
  readonly insecure?: true;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** @returns undefined for the default TLS settings @throws UsageError for files with unexpected content */
export async function readTls({ insecure, cacert, cert, key }: TlsFlags): Promise<TlsOptions | undefined> {
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError(
      `--cert, --key: expected both, got "${cert === undefined ? '--key' : '--cert'}" only`,
    );
  const ca = cacert === undefined ? undefined : await readAuthorities('--cacert', cacert);
  const own = cert === undefined || key === undefined ? undefined : await readOwn(cert, key);
  if (insecure === undefined && ca === undefined && own === undefined) return undefined;
  return { ...own, ...(ca !== undefined && { ca }), rejectUnauthorized: !insecure };
}

async function readOwn(certFile: string, keyFile: string): Promise<{ cert: string; key: string }> {
  const cert = await readAuthorities('--cert', certFile);
  const key = await readSecret('--key', keyFile);
  let isPair: boolean;
  try {
    isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new UsageError(
      `--key: expected a private key in PEM without a passphrase, got something else in "${keyFile}"`,
    );
  }
  if (!isPair) throw new UsageError(`--key: expected the key of "${certFile}", got another in "${keyFile}"`);
  return { cert, key };
}
