/** The pattern of a URL on the command line: one request, so many times or for so long. Its mistakes name the flags. */
import type { z } from 'zod';
import { UsageError } from '../common/errors.ts';
import { hideCredentials } from '../common/secrets.ts';
import { parseUrl } from '../common/url.ts';
import { patternSchema } from '../pattern/pattern.ts';
import type { NamedPattern } from './patterns.ts';

export interface UrlRequest {
  readonly url: string;
  /** GET by default, and with a body POST. */
  readonly method: string | undefined;
  /** As `Name: value`. */
  readonly headers: readonly string[];
  readonly body: string | undefined;
}

/** How often. `max` is as fast as the connections allow. */
export interface Amount {
  readonly requests: number | undefined;
  readonly ratePerSecond: number | 'max';
  readonly durationMs: number;
}

export const EXAMPLE_URL = 'http://127.0.0.1:3000/users/7';

/** Of a request for which no method was given. */
export const defaultMethod = (body: unknown) => (body === undefined ? 'GET' : 'POST');

/**
 * A URL that requests are sent to: unlike a target it may have a query.
 * @param name what the messages call it
 * @param credentials the remedy where it has a user and a password
 * @throws UsageError
 */
export function parseRequestUrl(name: string, url: string, credentials: string): URL {
  parseUrl(name, url.replace(/\?[^#]*/, ''), EXAMPLE_URL, credentials);
  return new URL(url);
}

/**
 * @returns the pattern, and the origin of the URL
 * @throws UsageError with one line per mistake
 */
export function createUrlPattern(request: UrlRequest, amount: Amount): NamedPattern & { target: string } {
  const { url, body, method = defaultMethod(body) } = request;
  if (url.includes('#')) throw new UsageError(`URL: expected no fragment, got "${hideCredentials(url)}"`);
  const { origin, pathname, search } = parseRequestUrl('URL', url, "use -H 'Authorization: ...'");
  const { requests, ratePerSecond, durationMs } = amount;
  const path = `${pathname}${search}`;
  const target = { method, path, headers: readHeaders(request.headers), body, count: requests };
  const stages = requests === undefined ? [{ duration: '1s', rate: 1 }] : undefined;
  const { success, data, error } = patternSchema.safeParse({ targets: [target], stages });
  if (!success) throw new UsageError(error.issues.map((issue) => describe(issue, target)).join('\n'));
  const perSecond = ratePerSecond === 'max' ? 1 : ratePerSecond;
  const stage = { durationMs, fromPerSecond: perSecond, toPerSecond: perSecond };
  return {
    target: origin,
    name: `${method} ${pathname}`,
    pattern: { ...data, stages: stages && [stage] },
  };
}

function describe(issue: z.core.$ZodIssue, { method, path }: { method: string; path: string }): string {
  const [, , key = '', name] = issue.path.map(String);
  const message = issue.code === 'invalid_key' ? issue.issues[0]?.message : issue.message;
  // Of a header the name: its value may be a secret.
  if (key === 'headers') return `--header: ${message}, got ${JSON.stringify(name)}`;
  const [flag, got] = key === 'method' ? ['--method', method] : ['URL', path];
  return `${flag}: ${message}, got ${JSON.stringify(got)}`;
}

function readHeaders(lines: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = /^([^:]+):[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
    const refuse = (expected: string, got: string) => {
      throw new UsageError(`--header: expected ${expected}, got ${JSON.stringify(got)}`);
    };
    // What comes after the first word may be a secret.
    if (name === undefined) refuse('"Name: value"', line.replace(/(\s).*/s, '$1...'));
    else if (headers.has(name)) refuse('each header once', name);
    else headers.set(name, value);
  }
  return Object.fromEntries(headers);
}
