import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { createReporter } from '../src/cli/progress.ts';
import { createProgress, type LiveNumbers } from '../src/run/progress.ts';
import { planOf } from './reports.ts';

let written = '';
let now: LiveNumbers;

function start({ isTTY = false, quiet = false }) {
  const write = (text: string) => {
    written += text;
  };
  const reporter = createReporter({ write, isTTY } as unknown as NodeJS.WriteStream, quiet);
  reporter.phaseStarted(createProgress(planOf('steady'), performance.now(), () => now));
  return reporter;
}

beforeEach(() => {
  written = '';
  now = { sent: 0, errors: 0, dropped: 0, inFlight: 3, p50Ms: Number.NaN, p99Ms: Number.NaN };
  jest.useFakeTimers();
});
afterEach(() => void jest.useRealTimers());

it('prints a plain line every five seconds outside of a terminal, until the phase ends', () => {
  const reporter = start({});
  jest.advanceTimersByTime(4000);
  now = { ...now, sent: 251, errors: 1, p50Ms: 2, p99Ms: 2 };
  jest.advanceTimersByTime(1000);
  expect(written).toBe(
    'steady: 5s, 25s left: 251 sent, 50.2/s (planned 50), in flight 3 of 100, errors 1, dropped 0, p50 2.00ms, p99 2.00ms\n',
  );
  reporter.phaseEnded();
  jest.advanceTimersByTime(60_000);
  expect(written.split('\n')).toHaveLength(2);
});

it('redraws the line in place on a terminal, makes room for notes, and removes it at the end', () => {
  const reporter = start({ isTTY: true });
  jest.advanceTimersByTime(200);
  const ERASE = '\r\x1b[2K';
  expect(written).toMatch(/^\S*\r\S\[2K\S\[\?7lsteady: 0s, 30s left: [^\n]*p99 -\S\[\?7h$/);
  reporter.note('stopping');
  reporter.phaseEnded();
  expect(written.endsWith(`${ERASE}stopping\n${ERASE}`)).toBe(true);
});

it('prints nothing with --quiet', () => {
  const reporter = start({ quiet: true });
  jest.advanceTimersByTime(60_000);
  reporter.note('waiting');
  expect(written).toBe('');
});
