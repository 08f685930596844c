/** The pattern of a URL: one request, so many times or for so long. */
import { UsageError } from '../common/errors.ts';
import { hideCredentials } from '../common/secrets.ts';
import { parseUrl } from '../common/url.ts';
import type { Target } from '../pattern/pattern.ts';
import type { NamedPattern } from './patterns.ts';

/** What every request is, and how often; read already, so that messages name it as the caller knows it. */
export interface UrlRequest extends Partial<Omit<Target, 'method' | 'path' | 'weight' | 'count'>> {
  /** GET by default, and with a body POST. */
  readonly method?: string | undefined;
  readonly requests?: number | undefined;
  /** `max` is as fast as the connections allow. */
  readonly rate?: number | 'max' | undefined;
  /** In ms. */
  readonly duration?: number | undefined;
}

export const EXAMPLE_URL = 'http://127.0.0.1:3000/users/7';

/**
 * A URL that requests are sent to: unlike a target it may have a query.
 * @param name what the messages call it
 * @param credentials the remedy where it has a user and a password
 * @throws UsageError
 */
export function parseRequestUrl(name: string, url: string, credentials: string): URL {
  if (url.includes('#')) throw new UsageError(`${name}: expected no fragment, got "${hideCredentials(url)}"`);
  parseUrl(name, url.replace(/\?.*/s, ''), EXAMPLE_URL, credentials);
  return new URL(url);
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
