/** Outputs of every kind, the good and the failing: where they go, and what the exit code is. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InterruptedError } from '../src/common/errors.ts';
import { reportSchema } from '../src/report/report.ts';
import { type FakeStack, startFakeStack } from './fake-stack.ts';
import { loadgen } from './loadgen.ts';
import { serveHttp, until } from './servers.ts';

let stack: FakeStack;
let folder = '';
const at = (name: string) => join(folder, name);
const run = (...args: string[]) => loadgen(['run', 'hundred', '-t', stack.target.url, ...args]);
const verification = () => ['-p', stack.observer.url, '--wait', '5s', '--ledger', at('ledger')];

beforeEach(async () => {
  stack = await startFakeStack();
  folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
});
afterEach(async () => {
  await stack.stop();
  await rm(folder, { recursive: true });
});

describe('a report', () => {
  it('is written once, as it ended, to what is no regular file', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    const [text, { code }] = await Promise.all([
      readFile(at('fifo'), 'utf8'),
      run('--json', at('fifo'), ...verification()),
    ]);
    expect(code).toBe(0);
    expect(reportSchema.parse(JSON.parse(text))).toMatchObject({
      state: 'finished',
      verification: { verdict: 'verified' },
    });
    expect(await run('--json', '/dev/null', '--html', '/dev/null')).toMatchObject({ code: 0 });
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it('as a page takes the place of the summary with "-"', async () => {
    const { code, out } = await run('--html', '-');
    expect([code, await readdir(folder)]).toEqual([0, []]);
    expect(out).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  });

  it('goes to standard output once at most', async () => {
    expect(await run('--json', '-', '--html', '-')).toEqual({
      code: 2,
      out: '',
      err: '--json, --html: expected "-", standard output, for one of them at most\n',
    });
  });

  it('and its page are refused the same file, before anything is sent', async () => {
    await symlink(at('report'), at('link'));
    expect(await run('--json', at('report'), '--html', at('link'))).toEqual({
      code: 2,
      out: '',
      err: `--json, --html: expected two files, got ${at('report')} for both\n`,
    });
  });

  it('that cannot be written at the end leaves the summary, and makes the exit code 1', async () => {
    await symlink('/dev/full', at('full'));
    const { code, out, err } = await run('--json', at('full'), '--html', at('page.html'));
    expect([code, out.split(' ').slice(0, 4)]).toEqual([1, ['hundred:', '100', 'requests', 'sent']]);
    expect(err).toMatch(/^loadgen: cannot write .*\/full: ENOSPC.*\n$/);
    expect(await readFile(at('page.html'), 'utf8')).toContain('</html>');
  });

  it('in a folder that goes away during the run leaves the summary, too', async () => {
    await mkdir(at('gone'));
    stack.api.intercept = () => {
      void rm(at('gone'), { recursive: true, force: true });
      return false;
    };
    const { code, out, err } = await run('--json', at('gone/a.json'));
    expect([code, out.includes('100 requests sent')]).toEqual([1, true]);
    expect(err).toMatch(/^loadgen: cannot write .*\/gone\/a.json: ENOENT.*\n$/);
  });

  it.each([
    ['--json', 'nope/a.json'],
    ['--html', 'file/a.html'],
    ['--json', 'folder'],
    ['--ledger', 'file'],
  ])('that can never be written ends with 2 before anything is sent: %s %s', async (flag, name) => {
    await writeFile(at('file'), '');
    await mkdir(at('folder'));
    const { code, out } = await run(flag, at(name), '-p', stack.observer.url);
    expect([code, out, stack.api.values.size]).toEqual([2, '', 1]);
  });

  it.each([
    ['report', 'nope.json'],
    ['report', 'folder'],
    ['combine', 'file/a.json'],
    ['validate', 'folder'],
    ['validate', 'nope.yaml'],
  ])('or a pattern that cannot be read ends with 2: %s %s', async (command, name) => {
    await writeFile(at('file'), '');
    await mkdir(at('folder'));
    const { code, err } = await loadgen([command, at(name)]);
    expect([code, err]).toEqual([2, expect.stringMatching(/cannot (read|write)/)]);
  });
});

describe('the summary', () => {
  it('is shown where Prometheus refuses a query after the run, and the exit code is 1', async () => {
    let refuses = false;
    const server = await serveHttp((request, response) => {
      const refusal = { status: 'error', errorType: 'execution', error: 'too many samples' };
      if (refuses) response.writeHead(422).end(JSON.stringify(refusal));
      else void stack.prometheus.handle(request, response);
    });
    stack.api.intercept = () => {
      refuses = true;
      return false;
    };
    const { code, out } = await run('-p', server.url);
    await server.stop();
    expect([code, out.includes('100 requests sent')]).toEqual([1, true]);
    expect(out).toMatch(/^unverifiable:\n.*Prometheus refuses the query: too many samples$/m);
  });

  it('of shards is shown where combine is interrupted while it waits for a scrape', async () => {
    const file = (n: number) => at(`${n}.json`);
    for (const n of [1, 2]) await run('--shard', `${n}/2`, '--json', file(n), '-p', stack.observer.url);
    stack.prometheus.isTargetUp = false;
    const interrupt = new AbortController();
    const ended = loadgen(['combine', file(1), file(2), '-p', stack.observer.url], interrupt.signal);
    setTimeout(() => interrupt.abort(new InterruptedError('interrupted')), 100);
    const { code, out, err } = await ended;
    expect([code, out.includes('100 requests sent')]).toEqual([130, true]);
    expect(err).toMatch(/loadgen: not verified: interrupted\n$/);
  });
});

describe('the ledger', () => {
  const verify = () => loadgen(['verify', ...verification()]);

  it('has no entry of a run that is interrupted before its first request', async () => {
    await run(...verification());
    const interrupt = new AbortController();
    const startAt = new Date(Date.now() + 4_000).toISOString();
    const args = [
      'run',
      'hundred',
      '-t',
      stack.target.url,
      ...verification(),
      '--json',
      at('a.json'),
      '--start-at',
      startAt,
    ];
    const ended = loadgen(args, interrupt.signal);
    // Just before it starts, both files are there.
    await until('it is about to start', async () => (await readdir(at('ledger'))).length === 2);
    interrupt.abort(new InterruptedError('interrupted'));
    expect(await ended).toMatchObject({ code: 130, out: 'interrupted: nothing was sent\n' });
    expect(JSON.parse(await readFile(at('a.json'), 'utf8'))).toMatchObject({
      state: 'interrupted',
      phases: [],
    });
    expect(await verify()).toMatchObject({ code: 0, out: expect.stringMatching(/^1 run in the ledger\n/) });
  });

  it('has no entry of a run that is interrupted while it waits for a scrape', async () => {
    await run(...verification());
    stack.prometheus.isTargetUp = false;
    const interrupt = new AbortController();
    const args = ['run', 'hundred', '-t', stack.target.url, ...verification()];
    const ended = loadgen(args, interrupt.signal);
    setTimeout(() => interrupt.abort(new InterruptedError('interrupted')), 100);
    expect(await ended).toMatchObject({
      code: 130,
      out: '',
      err: expect.stringMatching(/interrupted: nothing was sent\n$/),
    });
    stack.prometheus.isTargetUp = true;
    expect(await verify()).toMatchObject({ code: 0 });
  });
});

it('a start that is over is wrong usage, and says since when', async () => {
  const { code, err } = await run('--start-at', '2020-01-01T00:00:00Z');
  expect([code, err]).toEqual([
    2,
    expect.stringMatching(/--start-at: expected a moment to come, got one [\d,]+ ms ago/),
  ]);
});
