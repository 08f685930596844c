/** URLs in flags. */
import { UsageError } from './errors.ts';
import { hideCredentials } from './secrets.ts';

/**
 * @param flag the name in messages
 * @param credentials the alternative to suggest, if user and password are not accepted
 * @throws UsageError if the text is not an http or https URL to which paths can be appended
 */
export function parseUrl(flag: string, text: string, example: string, credentials?: string): URL {
  const expect = (expected: string, holds: boolean) => {
    // The URL parser drops tabs and line breaks; the message shows them, but no password.
    const shown = hideCredentials(JSON.stringify(text));
    if (!holds) throw new UsageError(`${flag}: expected ${expected}, got ${shown}`);
  };
  const isHttp = /^https?:\/\/[^/]/i.test(text) && !/[\s\p{Cc}\\]/u.test(text);
  expect(`a URL of http or https, such as ${example}`, isHttp);
  if (credentials !== undefined)
    expect(`no user or password (${credentials})`, !/^[^/]*\/\/[^/?#]*@/.test(text));
  expect('no query and no fragment', !/[?#]/.test(text));
  expect('a host, and a port from 1 to 65535', URL.canParse(text) && new URL(text).port !== '0');
  return new URL(text);
}
