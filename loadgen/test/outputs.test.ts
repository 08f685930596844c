/** Outputs of every kind, the good and the failing: where they go, and what the exit code is. */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { InterruptedError } from '../src/common/errors.ts';
import { reportSchema } from '../src/report/report.ts';
import { loadgen, useLab } from './loadgen.ts';
import { serveHttp, until } from './servers.ts';

const lab = useLab();
const run = (words = '', signal?: AbortSignal) => lab.run(`hundred ${words}`.trim(), signal);
const verified = (words = '', signal?: AbortSignal) =>
  run(`${words} ${lab.prometheus} ${lab.ledger}`.trim(), signal);

/** A signal that aborts, as at a Ctrl-C, when it is told to. */
function createInterrupt() {
  const controller = new AbortController();
  const abort = () => controller.abort(new InterruptedError('interrupted'));
  return { signal: controller.signal, abort };
}

describe('a report', () => {
  it('is written once, as it ended, to what is no regular file', async () => {
    execFileSync('mkfifo', [lab.at('fifo')]);
    const read = readFile(lab.at('fifo'), 'utf8');
    expect(await verified(`--json ${lab.at('fifo')}`)).toMatchObject({ code: 0 });
    const report = reportSchema.parse(JSON.parse(await read));
    expect(report).toMatchObject({ state: 'finished', verification: { verdict: 'verified' } });
    expect(await run('--json /dev/null --html /dev/null')).toMatchObject({ code: 0 });
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it('as a page takes the place of the summary with "-"', async () => {
    const { code, out } = await run('--html -');
    expect([code, await readdir(lab.at(''))]).toEqual([0, []]);
    expect(out).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  });

  it('and its page are refused the same file, before anything is sent', async () => {
    await symlink(lab.at('report'), lab.at('link'));
    const err = `--json, --html: expected two files, got ${lab.at('report')} for both\n`;
    expect(await run(`--json ${lab.at('report')} --html ${lab.at('link')}`)).toEqual({
      code: 2,
      out: '',
      err,
    });
  });

  it('that cannot be written at the end leaves the summary, and makes the exit code 1', async () => {
    await symlink('/dev/full', lab.at('full'));
    const { code, out, err } = await run(`--json ${lab.at('full')} --html ${lab.at('page.html')}`);
    expect([code, out]).toEqual([1, expect.stringMatching(/^hundred: 100 requests sent/)]);
    expect(err).toMatch(/^loadgen: cannot write .*\/full: ENOSPC.*\n$/);
    expect(await readFile(lab.at('page.html'), 'utf8')).toContain('</html>');
  });

  it('in a folder that goes away during the run leaves the summary, too', async () => {
    await mkdir(lab.at('folder'));
    lab.stack.api.intercept = () => {
      void rm(lab.at('folder'), { recursive: true, force: true });
      return false;
    };
    const { code, out, err } = await run(`--json ${lab.at('folder/a.json')}`);
    expect([code, out]).toEqual([1, expect.stringContaining('100 requests sent')]);
    expect(err).toMatch(/^loadgen: cannot write .*\/folder\/a.json: ENOENT.*\n$/);
  });

  it.each([
    ['--json', 'nope/a.json'],
    ['--html', 'file/a.html'],
    ['--json', 'folder'],
    ['--ledger', 'file'],
  ])('that can never be written ends with 2 before anything is sent: %s %s', async (flag, name) => {
    await lab.write('file', '');
    await mkdir(lab.at('folder'));
    const { code, out } = await run(`${flag} ${lab.at(name)} ${lab.prometheus}`);
    expect([code, out, lab.stack.api.values.size]).toEqual([2, '', 1]);
  });

  it.each([
    ['report', 'nope.json'],
    ['report', 'folder'],
    ['combine', 'file/a.json'],
    ['validate', 'folder'],
    ['validate', 'nope.yaml'],
  ])('or a pattern that cannot be read ends with 2: %s %s', async (command, name) => {
    await lab.write('file', '');
    await mkdir(lab.at('folder'));
    const err = expect.stringMatching(/cannot (read|write)/);
    expect(await loadgen([command, lab.at(name)])).toMatchObject({ code: 2, err });
  });
});

describe('the summary', () => {
  it('is shown where Prometheus refuses a query after the run, and the exit code is 1', async () => {
    let refuses = false;
    const server = await serveHttp((request, response) => {
      const refusal = { status: 'error', errorType: 'execution', error: 'too many samples' };
      if (refuses) response.writeHead(422).end(JSON.stringify(refusal));
      else void lab.stack.prometheus.handle(request, response);
    });
    lab.stack.api.intercept = () => {
      refuses = true;
      return false;
    };
    const { code, out } = await run(`-p ${server.url}`);
    await server.stop();
    expect([code, out]).toEqual([1, expect.stringContaining('100 requests sent')]);
    expect(out).toMatch(/^unverifiable:\n.*Prometheus refuses the query: too many samples$/m);
  });

  it('of shards is shown where combine is interrupted while it waits for a scrape', async () => {
    const file = (n: number) => lab.at(`${n}.json`);
    for (const n of [1, 2]) await run(`--shard ${n}/2 --json ${file(n)} ${lab.prometheus}`);
    lab.stack.prometheus.isTargetUp = false;
    const { signal, abort } = createInterrupt();
    setTimeout(abort, 100);
    const { code, out, err } = await loadgen(`combine ${file(1)} ${file(2)} ${lab.prometheus}`, signal);
    expect([code, out]).toEqual([130, expect.stringContaining('100 requests sent')]);
    expect(err).toMatch(/loadgen: not verified: interrupted\n$/);
  });
});

describe('the ledger has no entry of a run that is interrupted', () => {
  const verify = () => loadgen(`verify ${lab.prometheus} ${lab.ledger}`);

  it('before its first request', async () => {
    await verified();
    const { signal, abort } = createInterrupt();
    const startAt = new Date(Date.now() + 4_000).toISOString();
    const ended = verified(`--json ${lab.at('a.json')} --start-at ${startAt}`, signal);
    // Just before it starts, both files are there.
    await until('it is about to start', async () => (await readdir(lab.at('ledger'))).length === 2);
    abort();
    expect(await ended).toMatchObject({ code: 130, out: 'interrupted: nothing was sent\n' });
    const report = JSON.parse(await readFile(lab.at('a.json'), 'utf8'));
    expect(report).toMatchObject({ state: 'interrupted', phases: [] });
    expect(await verify()).toMatchObject({ code: 0, out: expect.stringMatching(/^1 run in the ledger\n/) });
  });

  it('while it waits for a scrape', async () => {
    await verified();
    lab.stack.prometheus.isTargetUp = false;
    const { signal, abort } = createInterrupt();
    setTimeout(abort, 100);
    const err = expect.stringMatching(/interrupted: nothing was sent\n$/);
    expect(await verified('', signal)).toMatchObject({ code: 130, out: '', err });
    lab.stack.prometheus.isTargetUp = true;
    expect(await verify()).toMatchObject({ code: 0 });
  });
});
