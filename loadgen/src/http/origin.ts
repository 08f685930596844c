/** Where requests go: the parsed base URL of the target. */
import { UsageError } from '../common/errors.ts';
import { hideCredentials } from '../common/secrets.ts';

export interface Origin {
  readonly url: string;
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** Value of the Host header. */
  readonly host: string;
  /** Path in front of every target's path, without a slash at the end. */
  readonly prefix: string;
}

/** @throws UsageError when the text is not an http or https URL that a request can be built from */
export function parseOrigin(text: string): Origin {
  if (!URL.canParse(text))
    throw new UsageError(
      `--target: expected a URL such as http://localhost:5001, got "${hideCredentials(text)}"`,
    );
  const url = new URL(text);
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:')
    throw new UsageError(`--target: expected http:// or https://, got "${hideCredentials(text)}"`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new UsageError(
      '--target: expected no credentials, query or fragment (a pattern file can set headers)',
    );
  }
  return {
    url: url.href.replace(/\/+$/, ''),
    secure,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 443 : 80),
    host: url.host,
    prefix: url.pathname.replace(/\/+$/, ''),
  };
}
