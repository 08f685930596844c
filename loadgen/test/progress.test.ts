import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLineReporter, createLiveReporter, createReporter } from '../src/cli/progress.ts';
import { plain } from '../src/report/text/paint.ts';
import { createProgress, type LiveNumbers, type Progress } from '../src/run/progress.ts';
import { planOf } from './reports.ts';

let written = '';
const write = (text: string) => {
  written += text;
};

const nothing: LiveNumbers = { sent: 0, errors: 0, dropped: 0, inFlight: 3, p50Ms: NaN, p99Ms: NaN };

const progressOf = (name: string, numbers = () => nothing): Progress =>
  createProgress(planOf(name), performance.now(), numbers);

/** What a terminal of 80 columns shows after the text: only the movements that the live view makes. */
function screenOf(text: string): string[] {
  const lines: string[] = [''];
  const shown = text.replaceAll('\x1b', 'ESC').replaceAll(/ESC\[\?7[lh]/g, '');
  for (const part of shown.split(/(\r|\n|ESC\[\d+[AJ])/)) {
    const [, amount, movement] = /^ESC\[(\d+)([AJ])$/.exec(part) ?? [];
    if (part === '\n') lines.push('');
    else if (movement === 'A') lines.splice(lines.length - 1 - Number(amount), Number.POSITIVE_INFINITY, '');
    else if (movement === undefined && part !== '\r') lines[lines.length - 1] += part;
  }
  return lines;
}

beforeEach(() => {
  written = '';
  jest.useFakeTimers();
});
afterEach(() => void jest.useRealTimers());

describe('outside a terminal', () => {
  it('there is a plain line every five seconds, until the phase ends', () => {
    const reporter = createLineReporter(write);
    let now = nothing;
    reporter.started(progressOf('steady', () => now));
    jest.advanceTimersByTime(4000);
    now = { ...nothing, sent: 251, errors: 1, p50Ms: 2, p99Ms: 2 };
    jest.advanceTimersByTime(1000);
    expect(written).toBe(
      'steady: 5s, 25s left: 251 sent, 50.2/s (asked 50), in flight 3 of 100, errors 1, dropped 0, p50 2.00ms, p99 2.00ms\n',
    );
    reporter.ended();
    jest.advanceTimersByTime(60_000);
    expect(written.split('\n')).toHaveLength(2);
  });

  it('with --quiet there is nothing', () => {
    const reporter = createReporter({ write } as unknown as NodeJS.WriteStream, true);
    reporter.started(progressOf('steady'));
    jest.advanceTimersByTime(60_000);
    reporter.note('waiting');
    expect(written).toBe('');
  });
});

describe('on a terminal', () => {
  it('the view is redrawn in place and gone at the end', () => {
    const reporter = createLiveReporter(write, plain);
    reporter.started(progressOf('steady'));
    jest.advanceTimersByTime(15_000);
    expect(screenOf(written)).toEqual([
      'steady ###############............... 15s, 15s left',
      '  sent       0   rate 0/s (asked 50)',
      '  in flight  3 of 100   dropped 0   errors 0',
      '  latency    p50 -   p99 -',
      '',
    ]);
    reporter.ended();
    expect(screenOf(written)).toEqual(['']);
  });

  it('a note stands above the view, which goes on below it', () => {
    const reporter = createLiveReporter(write, plain);
    reporter.started(progressOf('hundred'));
    jest.advanceTimersByTime(200);
    expect(written).toMatch(/^\S\[\?7lhundred .*\S\[\?7h$/s);
    reporter.note('stopping');
    jest.advanceTimersByTime(200);
    const view = 'hundred .............................. 0s, 100 to send';
    expect(screenOf(written).slice(0, 2)).toEqual(['stopping', view]);
    reporter.ended();
    expect(screenOf(written)).toEqual(['stopping', '']);
  });
});
