/** Progress of a run: one line, redrawn in place on a terminal; otherwise a new line every few seconds. */
import { formatMs, formatNumber } from '../common/units.ts';
import type { Progress, SenderObserver } from '../run/progress.ts';

const LINE_EVERY_MS = 5_000;
const DRAW_EVERY_MS = 200;
const RATE_WINDOW_MS = 1_000;
/** The carriage return also overwrites the ^C that a terminal echoes. */
const ERASE = '\r\x1b[2K';

export function createReporter(stderr: NodeJS.WriteStream, quiet = false): SenderObserver {
  if (quiet) return { note() {}, phaseStarted() {}, phaseEnded() {} };
  const { isTTY } = stderr;
  // Without automatic wrapping, the line stays on one row of a narrow terminal and can be erased.
  const show = (line: string) => stderr.write(isTTY ? `${ERASE}\x1b[?7l${line}\x1b[?7h` : `${line}\n`);
  let timer: NodeJS.Timeout | undefined;
  return {
    /** Prints a separate line, without breaking the progress line. */
    note: (text) => void stderr.write(`${isTTY ? ERASE : ''}${text}\n`),
    phaseStarted(progress) {
      const rate = createRateMeter(progress);
      const everyMs = isTTY ? DRAW_EVERY_MS : LINE_EVERY_MS;
      timer = setInterval(() => show(formatLine(progress, rate())), everyMs);
    },
    phaseEnded() {
      clearInterval(timer);
      if (isTTY) stderr.write(ERASE);
    },
  };
}

/** Requests per second over about the last second. */
function createRateMeter({ numbers, startMs }: Progress): () => number {
  const points = [{ atMs: startMs, sent: 0 }];
  return () => {
    const atMs = performance.now();
    const { sent } = numbers();
    points.push({ atMs, sent });
    while (points.length > 2 && (points[1]?.atMs ?? atMs) < atMs - RATE_WINDOW_MS) points.shift();
    const first = points[0] ?? { atMs, sent: 0 };
    return ((sent - first.sent) * 1000) / Math.max(1, atMs - first.atMs);
  };
}

function formatLine(progress: Progress, ratePerSecond: number): string {
  const { pattern, startMs, requests = 0, totalMs, connections } = progress;
  const { sent, inFlight, errors, dropped, p50Ms, p99Ms } = progress.numbers();
  const elapsedMs = Math.max(0, performance.now() - startMs);
  const left =
    totalMs === undefined
      ? `${formatNumber(requests - sent)} to send`
      : `${Math.max(0, Math.ceil((totalMs - elapsedMs) / 1000))}s left`;
  const askedPerSecond = progress.askedPerSecondAt(elapsedMs);
  const asked = askedPerSecond === undefined ? '' : ` (planned ${formatNumber(Math.round(askedPerSecond))})`;
  return (
    `${pattern}: ${Math.floor(elapsedMs / 1000)}s, ${left}: ${formatNumber(sent)} sent, ` +
    `${formatNumber(ratePerSecond)}/s${asked}, in flight ${inFlight} of ${connections}, ` +
    `errors ${formatNumber(errors)}, dropped ${formatNumber(dropped)}, p50 ${formatMs(p50Ms)}, p99 ${formatMs(p99Ms)}`
  );
}
