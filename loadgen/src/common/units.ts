/** Parses and formats quantities with units. */

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
/** The look-ahead excludes durations of 0. The limit on digits excludes values that would become infinite or 0 as a number. */
export const DURATION_PATTERN = /^(?=[\d.]*[1-9])(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)$/;

/** Parses `250ms`, `30s`, `1.5m`, `2h`. @returns milliseconds, or undefined for other texts and for zero */
export function parseDurationMs(text: string): number | undefined {
  const [, amount, unit] = DURATION_PATTERN.exec(text) ?? [];
  return unit === undefined ? undefined : Number(amount) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
}

/** Three significant digits in the most readable unit: `740us`, `1.25ms`, `2.01s`. */
export function formatMs(durationMs: number | null | undefined): string {
  if (durationMs === null || durationMs === undefined || Number.isNaN(durationMs)) return '-';
  if (durationMs < 1) return `${Math.round(durationMs * 1000)}us`;
  if (durationMs < 1000) return `${toDigits(durationMs)}ms`;
  return durationMs < 120_000 ? `${toDigits(durationMs / 1000)}s` : `${toDigits(durationMs / 60_000)}m`;
}

export function formatBytes(sizeBytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = sizeBytes;
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000;
  return `${unit === 0 ? size : toDigits(size)} ${units[unit]}`;
}

/** Whole numbers with separators, others with one decimal: `1,999.6`. */
export function formatNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** `1 request`, `2 requests`. */
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function toDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
