/** The values of flags: text to what the rest of the program works with, or an error with what was expected, to which commander adds the flag. */
import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { parseDurationMs } from '../common/units.ts';
import { MOST_SHARDS, type Shard } from '../load/shard.ts';
import { parseThreshold, THRESHOLD_FORM, THRESHOLD_PATTERN, type Threshold } from '../load/thresholds.ts';

export function parseRate(text: string): number | 'max' {
  const rate = Number(text);
  if (text === 'max') return text;
  if (!(rate > 0 && rate <= 1_000_000)) throw new InvalidArgumentError('Expected a number above 0, or max.');
  return rate;
}

/** @param hint is a part of the error */
export function parseDuration(text: string, hint?: unknown): number {
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined)
    throw new InvalidArgumentError(
      `Expected a duration such as 250ms, 30s, 5m, 1h.${typeof hint === 'string' ? hint : ''}`,
    );
  return durationMs;
}

export function parseWhole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || !/^\d+$/.test(text))
    throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}

export function parseWorkers(text: string): number {
  const workers = parseWhole(text);
  if (workers > MOST_WORKERS) throw new InvalidArgumentError(`Expected at most ${MOST_WORKERS}.`);
  return workers;
}

const MOST_WORKERS = 64;

export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text)?.map(Number) ?? [];
  if (index === undefined || of === undefined || index < 1 || index > of || of > MOST_SHARDS)
    throw new InvalidArgumentError(`Expected a part of at most ${MOST_SHARDS}, from 1, such as 2/8.`);
  return { index, of };
}

/** @returns ms since 1970 */
export function parseMoment(text: string): number {
  if (!z.iso.datetime({ offset: true }).safeParse(text).success)
    throw new InvalidArgumentError(
      'Expected a date and time with its zone, such as 2027-01-31T12:00:00Z (date -u -d "+1 minute" +%FT%TZ).',
    );
  return Date.parse(text);
}

export function parseThresholdFlag(text: string): Threshold {
  if (!THRESHOLD_PATTERN.test(text)) throw new InvalidArgumentError(`Expected ${THRESHOLD_FORM}.`);
  return parseThreshold(text);
}
