/** What a user sees while a run is under way: a block that is redrawn on a terminal, a plain line every few seconds elsewhere. */
import { formatMs, formatNumber } from '../common/units.ts';
import { createPaint, type Paint } from '../report/text/paint.ts';
import type { Progress } from '../run/progress.ts';

export interface ProgressReporter {
  /** A line of its own, not torn by what is drawn around it. */
  note(text: string): void;
  started(progress: Progress): void;
  ended(): void;
}

const LINE_EVERY_MS = 5_000;
const DRAW_EVERY_MS = 200;
const RATE_WINDOW_MS = 1_000;
const BAR_WIDTH = 30;

/** @param write takes text for standard error */
export function createLineReporter(write: (text: string) => void): ProgressReporter {
  let timer: NodeJS.Timeout | undefined;
  return {
    note: (text) => write(`${text}\n`),
    started(progress) {
      const rate = createRateMeter(progress);
      timer = setInterval(() => write(`${formatLine(progress, rate())}\n`), LINE_EVERY_MS);
    },
    ended: () => clearInterval(timer),
  };
}

export function createReporter(stderr: NodeJS.WriteStream, quiet = false): ProgressReporter {
  const write = (text: string) => void stderr.write(text);
  if (quiet) return { note() {}, started() {}, ended() {} };
  return stderr.isTTY ? createLiveReporter(write, createPaint(stderr)) : createLineReporter(write);
}

/** Redraws in place with cursor movements, so only for terminals. It erases itself at the end; the summary follows. */
export function createLiveReporter(write: (text: string) => void, paint: Paint): ProgressReporter {
  let timer: NodeJS.Timeout | undefined;
  let drawnLines = 0;
  const erase = () => {
    // The carriage return is for the ^C that a terminal echoes.
    if (drawnLines > 0) write(`\r\x1b[${drawnLines}A\x1b[0J`);
    drawnLines = 0;
  };
  return {
    note(text) {
      erase();
      write(`${text}\n`);
    },
    started(progress) {
      const rate = createRateMeter(progress);
      timer = setInterval(() => {
        const lines = formatBlock(progress, rate(), paint);
        erase();
        // Without automatic wrapping a line stays one line in a narrow terminal, and the erasing counts right.
        write(`\x1b[?7l${lines.map((line) => `${line}\n`).join('')}\x1b[?7h`);
        drawnLines = lines.length;
      }, DRAW_EVERY_MS);
    },
    ended() {
      clearInterval(timer);
      erase();
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

function describe(progress: Progress, ratePerSecond: number) {
  const { startMs, requests, totalMs, connections } = progress;
  const now = progress.numbers();
  const elapsedMs = Math.max(0, performance.now() - startMs);
  const done =
    totalMs === undefined ? now.sent / (requests ?? Number.POSITIVE_INFINITY) : elapsedMs / totalMs;
  const asked = progress.askedPerSecondAt(elapsedMs);
  return {
    ...now,
    done: Math.min(1, done),
    elapsed: `${Math.floor(elapsedMs / 1000)}s`,
    left:
      totalMs === undefined
        ? `${formatNumber((requests ?? 0) - now.sent)} to send`
        : `${Math.max(0, Math.ceil((totalMs - elapsedMs) / 1000))}s left`,
    rate: `${formatNumber(ratePerSecond)}/s${asked === undefined ? '' : ` (asked ${formatNumber(Math.round(asked))})`}`,
    busy: `${now.inFlight} of ${connections}`,
    p50: formatMs(now.p50Ms),
    p99: formatMs(now.p99Ms),
  };
}

function formatLine(progress: Progress, ratePerSecond: number): string {
  const { elapsed, left, rate, busy, p50, p99, sent, errors, dropped } = describe(progress, ratePerSecond);
  return (
    `${progress.pattern}: ${elapsed}, ${left}: ${formatNumber(sent)} sent, ${rate}, in flight ${busy}, ` +
    `errors ${formatNumber(errors)}, dropped ${formatNumber(dropped)}, p50 ${p50}, p99 ${p99}`
  );
}

function formatBlock(progress: Progress, ratePerSecond: number, paint: Paint): string[] {
  const { done, elapsed, left, rate, busy, p50, p99, ...now } = describe(progress, ratePerSecond);
  const filled = Math.round(done * BAR_WIDTH);
  const bar = `${paint('green', '#'.repeat(filled))}${paint('dim', '.'.repeat(BAR_WIDTH - filled))}`;
  const red = (count: number) => (count > 0 ? paint('red', formatNumber(count)) : '0');
  return [
    `${paint('bold', progress.pattern)} ${bar} ${elapsed}, ${left}`,
    `  sent       ${formatNumber(now.sent)}   rate ${rate}`,
    `  in flight  ${busy}   dropped ${red(now.dropped)}   errors ${red(now.errors)}`,
    `  latency    p50 ${p50}   p99 ${p99}`,
  ];
}
