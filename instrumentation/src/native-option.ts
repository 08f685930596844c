/** The option `nativeHistograms`: what it may be, and what it comes to. */
import { createNativeBuckets, type NativeBuckets } from './recording/native-buckets.ts';

export interface NativeHistogramOptions {
  /**
   * How many times as large as the bucket below it a bucket may be at most, from 1.02 to 2: a quantile is right up to that
   * factor. As in Go's client library, the coarsest buckets that keep it are taken. Default 1.05, which are 16 for each power of
   * two, 4.4 % wide each.
   */
  readonly growthFactor?: number;
  /** A series that has more buckets with a count than this gets buckets twice as wide. From 20; default 160. */
  readonly maxBuckets?: number;
}

export interface NativeSettings {
  /** Undefined for none. */
  readonly native: NativeBuckets | undefined;
  readonly maxBuckets: number;
}

const DEFAULTS = { growthFactor: 1.05, maxBuckets: 160 };

const isNumberFrom = (value: unknown, least: number, most: number) =>
  typeof value === 'number' && value >= least && value <= most;

/** @returns what was expected and what came, where `value` is wrong */
export function problemOfNative(value: unknown): readonly [expected: string, got: unknown] | undefined {
  const shape = ['true, false, or { growthFactor, maxBuckets }', value] as const;
  if (typeof value === 'boolean') return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return shape;
  const { growthFactor, maxBuckets, ...rest } = { ...DEFAULTS, ...value };
  if (Object.keys(rest).length > 0) return shape;
  if (!isNumberFrom(growthFactor, 1.02, 2)) return ['a growthFactor from 1.02 to 2', growthFactor];
  if (!Number.isSafeInteger(maxBuckets) || maxBuckets < 20)
    return ['a whole number from 20 as maxBuckets', maxBuckets];
  return undefined;
}

export function resolveNative(option: boolean | NativeHistogramOptions = false): NativeSettings {
  const { growthFactor, maxBuckets } = { ...DEFAULTS, ...(option === true ? {} : option || {}) };
  return { native: option === false ? undefined : createNativeBuckets(growthFactor), maxBuckets };
}
