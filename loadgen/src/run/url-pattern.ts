/** The pattern for a URL: one request, repeated a number of times or for a duration. */
import { UsageError } from '../common/errors.ts';
import { hideCredentials } from '../common/secrets.ts';
import { parseUrl } from '../common/url.ts';
import type { Target } from '../pattern/pattern.ts';
import type { NamedPattern } from './patterns.ts';

/** The request and its repetition. The values are already parsed, so that messages use the names that the caller knows. */
export interface UrlRequest extends Partial<Omit<Target, 'method' | 'path' | 'weight' | 'count'>> {
  /** By default GET, or POST with a body. */
  readonly method?: string | undefined;
  readonly requests?: number | undefined;
  /** `max` means as fast as the connections allow. */
  readonly rate?: number | 'max' | undefined;
  /** In ms. */
  readonly duration?: number | undefined;
}

export const EXAMPLE_URL = 'http://127.0.0.1:3000/users/7';

/**
 * A URL to request: unlike a target it may have a query.
 * @param name the name in messages
 * @param credentials the alternative to user and password
 * @throws UsageError
 */
export function parseRequestUrl(name: string, url: string, credentials: string): URL {
  if (url.includes('#')) throw new UsageError(`${name}: expected no fragment, got "${hideCredentials(url)}"`);
  parseUrl(name, url.replace(/\?.*/s, ''), EXAMPLE_URL, credentials);
  return new URL(url);
}

/** JSON bodies have this type, unless the headers define another. */
export function withJsonType(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isTyped = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  return isTyped ? headers : { ...headers, 'content-type': 'application/json' };
}

export function createUrlPattern({ pathname, search }: URL, request: UrlRequest): NamedPattern {
  const { requests, rate, duration, headers = {}, body, expect, series } = request;
  const { method = body === undefined ? 'GET' : 'POST' } = request;
  const target = { method, path: pathname + search, headers, body, expect, series, count: requests };
  const perSecond = typeof rate === 'number' ? rate : 1;
  const stages = duration && [{ durationMs: duration, fromPerSecond: perSecond, toPerSecond: perSecond }];
  const pattern = { description: '', targets: [target], stages: stages || undefined, thresholds: [] };
  return { name: `${method} ${pathname}`, pattern: { ...pattern, timeoutMs: undefined } };
}
