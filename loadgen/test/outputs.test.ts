/** Destinations and exit codes of all outputs, successful and failing ones. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import { InterruptedError } from '../src/common/errors.ts';
import { useFakeStack } from './fake-stack.ts';
import { type Ended, loadgen, useFolder } from './loadgen.ts';
import { serveHttp } from './servers.ts';

const stack = useFakeStack();
const at = useFolder();
const run = (...args: string[]) => loadgen(['run', 'hundred', ...stack.toTarget, ...args]);
const ledger = () => [...stack.verified, '--ledger', at('ledger')];
const SENT = expect.stringContaining('100 requests sent');

/** Runs a command and interrupts it as soon as a condition holds. */
async function interruptOnce(
  what: string,
  holds: () => boolean | Promise<boolean>,
  args: string[],
): Promise<Ended> {
  const interrupt = new AbortController();
  const ended = loadgen(args, interrupt);
  await until(what, holds);
  interrupt.abort(new InterruptedError('interrupted'));
  return ended;
}

/** The same while it waits for a scrape that does not happen. */
function interruptAtScrape(...args: string[]): Promise<Ended> {
  let isAsked = false;
  const { answerOf } = stack.prometheus;
  stack.prometheus.isTargetUp = false;
  stack.prometheus.answerOf = (query, time) => {
    isAsked ||= query.startsWith('{__name__');
    return answerOf(query, time);
  };
  return interruptOnce('Prometheus is asked for a scrape', () => isAsked, args);
}

describe('a report', () => {
  it('as a page replaces the summary with "-"', async () => {
    const { code, out } = await run('--html', '-');
    expect([code, await readdir(at('.'))]).toEqual([0, []]);
    expect(out).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  });

  it.each([['report'], ['-']])(
    'cannot have the same destination as its page, which is refused before anything is sent: %s',
    async (name) => {
      const path = name === '-' ? name : at(name);
      const err = `--json, --html: expected two files, got ${path} for both\n`;
      expect(await run('--json', path, '--html', path)).toEqual({ code: 2, out: '', err });
    },
  );

  it('is rendered as a page next to it, and two are compared', async () => {
    const [a, b] = [at('a.json'), at('b.json')];
    for (const file of [a, b]) await run('--json', file);
    expect(await loadgen(['report', a])).toMatchObject({ code: 0, out: `${at('a.html')}\n` });
    const { out } = await loadgen(['report', a, b, '--html', '-']);
    expect(out).toMatch(
      /<h2>A and B<\/h2>[\s\S]*<td>sent<\/td><td class=n>100<\/td><td class=n>100<\/td><td class=n>same<\/td>/,
    );
  });

  it('that cannot be written at the end does not prevent the summary, and the exit code is 1', async () => {
    await symlink('/dev/full', at('full'));
    const { code, out, err } = await run('--json', at('full'), '--html', at('page.html'));
    expect([code, out]).toEqual([1, SENT]);
    expect(err).toMatch(/^exact-load: cannot write .*\/full: ENOSPC.*\n$/);
    expect(await readFile(at('page.html'), 'utf8')).toContain('</html>');
  });
});

describe('a file', () => {
  beforeEach(async () => {
    await writeFile(at('file'), '');
    await mkdir(at('folder'));
  });

  it.each([
    ['--json', 'nope/a.json'],
    ['--html', 'file/a.html'],
    ['--json', 'folder'],
    ['--ledger', 'file'],
  ])('that is not writable ends with 2 before anything is sent: %s %s', async (flag, name) => {
    const { code, out } = await run(flag, at(name), ...stack.verified);
    expect([code, out, stack.api.handled]).toEqual([2, '', 0]);
  });

  it.each([
    ['report', 'nope.json'],
    ['report', 'folder'],
    ['combine', 'file/a.json'],
    ['validate', 'folder'],
    ['validate', 'nope.yaml'],
  ])('that cannot be read ends with 2: %s %s', async (command, name) => {
    const err = expect.stringMatching(/cannot (read|write)/);
    expect(await loadgen([command, at(name)])).toMatchObject({ code: 2, err });
  });
});

describe('the summary', () => {
  it('is shown if Prometheus refuses a query after the run, and the exit code is 1', async () => {
    let refuses = false;
    const server = await serveHttp((request, response) => {
      const refusal = { status: 'error', errorType: 'execution', error: 'too many samples' };
      if (refuses) response.writeHead(422).end(JSON.stringify(refusal));
      else stack.prometheus.handle(request, response);
    });
    stack.api.beforeRequest(1, () => {
      refuses = true;
    });
    const { code, out } = await run('-p', server.url);
    expect([code, out]).toEqual([1, SENT]);
    expect(out).toMatch(/^unverifiable:\n.*Prometheus refuses the query: too many samples$/m);
  });

  it('of shards is shown if combine is interrupted while it waits for a scrape', async () => {
    const files = [1, 2].map((n) => at(`${n}.json`));
    for (const [n, file] of files.entries())
      await run('--shard', `${n + 1}/2`, '--json', file, ...stack.verified);
    const { code, out, err } = await interruptAtScrape('combine', ...files, ...stack.verified);
    expect([code, out]).toEqual([130, SENT]);
    expect(err).toMatch(/exact-load: not verified: interrupted\n$/);
  });
});

describe('the ledger', () => {
  const expectOneRun = async () => {
    const out = expect.stringMatching(/^1 run in the ledger\n/);
    expect(await loadgen(['verify', ...ledger()])).toMatchObject({ code: 0, out });
  };
  beforeEach(async () => {
    expect(await run(...ledger())).toMatchObject({ code: 0 });
  });

  it('has no entry for a run that is interrupted before its first request', async () => {
    // The clock does not reach the start.
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now());
    const startAt = new Date(Date.now() + 900).toISOString();
    const flags = [...stack.toTarget, ...ledger(), '--json', at('a.json'), '--start-at', startAt];
    // Just before it starts, both files exist.
    const isReady = async () => (await readdir(at('ledger'))).length === 2;
    const ended = await interruptOnce('it is about to start', isReady, ['run', 'hundred', ...flags]);
    now.mockRestore();
    expect(ended).toMatchObject({ code: 130, out: 'interrupted: nothing was sent\n' });
    const left = { state: 'interrupted', phases: [] };
    expect(JSON.parse(await readFile(at('a.json'), 'utf8'))).toMatchObject(left);
    await expectOneRun();
  });

  it('has no entry for a run that is interrupted while it waits for a scrape', async () => {
    const ended = await interruptAtScrape('run', 'hundred', ...stack.toTarget, ...ledger());
    const err = expect.stringMatching(/interrupted: nothing was sent\n$/);
    expect(ended).toMatchObject({ code: 130, out: '', err });
    stack.prometheus.isTargetUp = true;
    await expectOneRun();
  });
});
