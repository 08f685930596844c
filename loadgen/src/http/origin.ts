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

/** @throws UsageError when the text is not an http or https URL from which a request can be built */
export function parseOrigin(text: string): Origin {
  const expect = (expected: string, holds: boolean) => {
    // The parser of URLs drops tabs and line breaks; a message shows them, and no password.
    const shown = hideCredentials(JSON.stringify(text.replace(/\/\/.*@/s, '//...@')));
    if (!holds) throw new UsageError(`--target: expected ${expected}, got ${shown}`);
  };
  expect(
    'a URL of http or https, such as http://localhost:5001',
    /^https?:\/\/[^/]/i.test(text) && !/[\s\p{Cc}\\]/u.test(text),
  );
  expect('no user or password (a pattern file can set headers)', !/^[^/]*\/\/[^/?#]*@/.test(text));
  expect('no query and no fragment', !/[?#]/.test(text));
  expect('a host, and a port from 1 to 65535', URL.canParse(text) && new URL(text).port !== '0');
  const { href, protocol, hostname, port, host, pathname } = new URL(text);
  const secure = protocol === 'https:';
  return {
    url: href.replace(/\/+$/, ''),
    secure,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    host,
    prefix: pathname.replace(/\/+$/, ''),
  };
}
