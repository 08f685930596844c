/** `run` without Prometheus, wrong usage, and the small commands. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { read } from '../../test/support/repository.ts';
import { EXIT } from '../src/common/errors.ts';
import { reportSchema } from '../src/report/report.ts';
import { useFakeStack } from './fake-stack.ts';
import { loadgen, useFolder } from './loadgen.ts';
import { serveHttp } from './servers.ts';

const stack = useFakeStack();
const at = useFolder();
const run = (...args: string[]) => loadgen(['run', ...args, ...stack.toTarget]);

describe('exact-load run', () => {
  it('writes a report that its schema accepts, to a file or to standard output', async () => {
    const { out } = await run('hundred', '--json', at('report.json'));
    expect(out).toContain('hundred: 100 requests sent');
    const report = reportSchema.parse(JSON.parse(await readFile(at('report.json'), 'utf8')));
    const statuses = { 200: 50, 201: 50 };
    expect(report.phases[0]).toMatchObject({ sent: 100, answered: 100, statuses, unanswered: 0 });
    const piped = await run('hundred', '--json', '-');
    expect(reportSchema.parse(JSON.parse(piped.out)).verification).toBeNull();
  });

  it('fails if a threshold is not met', async () => {
    const { code, out } = await run('hundred', '--threshold', 'max<1ms', '--threshold', 'errors=0');
    expect([code, out]).toEqual([1, expect.stringMatching(/max<1ms: FAILED \(.*\)\n.*errors=0: ok \(0\)/)]);
  });

  it('counts an unexpected status as an error, and fails only by a threshold', async () => {
    const text = 'targets: [{path: /cart, count: 2, expect: 201}, {path: /gone, count: 3}]';
    await writeFile(at('own.yaml'), text);
    const answered =
      'answered  5   2 x 200   3 x 404\n  errors    5   dropped 0\n            5 x unexpected status';
    expect(await run(at('own.yaml'))).toMatchObject({ code: 0, out: expect.stringContaining(answered) });
    expect(await run(at('own.yaml'), '--threshold', 'errors<=4')).toMatchObject({ code: 1 });
  });

  it('paces an exact pattern without dropping requests if connections are scarce', async () => {
    const { code, out } = await run('not-found', '--rate', '500', '--connections', '1');
    expect([code, stack.api.values.get('http_errors_total{code="404"}')]).toEqual([0, 33]);
    expect(out).toContain('planned 500/s on average, at most 1 connection)');
  });

  it('stops at an interrupt, waits for requests in flight, prints the summary and ends with 130', async () => {
    const controller = new AbortController();
    stack.api.intercept = (_request, response) => {
      controller.abort();
      setTimeout(() => response.end('late'), 50);
      return true;
    };
    const { code, out } = await loadgen(['run', 'lab', '-c', '1', ...stack.toTarget], controller);
    expect(code).toBe(130);
    expect(out).toMatch(/^hundred: 1 request sent[\s\S]+answered {2}1 {3}1 x 200/);
    expect(out).toContain('interrupted: the remaining requests were not sent');
    expect(out).not.toContain('not-found');
  });

  it('ends with 3 if nothing responds', async () => {
    const mute = await serveHttp((request) => request.socket.destroy());
    const out = expect.stringContaining('answered  0');
    expect(await loadgen(['run', 'hundred', '--target', mute.url])).toMatchObject({ code: 3, out });
  });
});

describe('wrong usage ends with 2 and an explanation', () => {
  it.each([
    [
      ['run', 'hundrd'],
      /pattern: expected one of lab, hundred, not-found, steady, .*mixed, or a file .*, got "hundrd"/,
    ],
    [['run', 'constructor', 'nope'], /got "constructor"\npattern: .*, got "nope"/],
    [
      ['run', '--rate', 'fast', '--duration', '10', '-c', '0'],
      /^--rate: expected a number above 0, at most 1000000, or "max", got "fast"\n--duration: expected a duration above 0, such as 250ms, 30s, 5m, 1h, got "10"\n--connections: expected a whole number from 1, got "0"\n$/,
    ],
    [['run', '--threshold', 'p98<1'], /^--threshold: expected a threshold: p50, p90.*, got "p98<1"/],
    [
      ['run', '--shard', '0/2'],
      /^--shard: expected i\/n with i from 1 to n, and n at most 1000, such as 2\/8, got "0\/2"/,
    ],
    [['run', '--shard', '3/2'], /expected i\/n with i from 1 to n/],
    [['run', '--start-at', '12:00'], /^--start-at: expected a date and time with time zone/],
    [['run', '--start-at', '2020-01-01T00:00:00Z'], /expected a time in the future, got one [\d,]+ ms ago/],
    [['run', '--workers', '65'], /^--workers: expected a whole number from 1 to 64, got "65"/],
    [
      ['run', 'hundred', '--workers', '11'],
      /expected at least one per shard, got 10 for the 11 shards of "hundred"/,
    ],
    [['run', '--verify', '--shard', '1/2', '-p', 'http://x'], /a shard cannot be verified alone/],
    [['worker'], /expected to be started by another exact-load process/],
    [['report', 'a', 'b', 'c'], /expected one report, or two to compare, got 3/],
    [['run', '--verify', '--ledger', 'x'], /--verify, --ledger: needs --prometheus/],
    [['run', '--target', 'localhost'], /--target: expected a URL/],
    [['run', '--prometheus', 'localhost:9090'], /--prometheus: expected a URL/],
    [['run', 'hundred', '--duration', '5s'], /--duration: expected only with a rate pattern, got "hundred"/],
    [['run', './gone.yaml'], /cannot read the pattern file/],
    [['run', '--speed', '9'], /unknown option '--speed'/],
    [['run', '--prom=http://ann:s3cret@host'], /unknown option '--prom=http:\/\/\*\*\*@host'/],
    [['attack'], /expected a URL or a command \(see --help\), got "attack"/],
    [['verify', '--ledger', 'x'], /required option '-p, --prometheus <url>' not specified/],
    [['verify', '-p', 'http://x'], /expected one of --ledger <folder>, --sent <file>, or reports of runs/],
    [['verify', '-p', 'http://x', '--ledger', '/nowhere'], /--ledger: cannot read \/nowhere/],
    [['schema', 'x'], /Allowed choices are pattern, report/],
  ])('%j', async (args, message) => {
    expect(await loadgen(args)).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });
});

describe('the other commands', () => {
  it('list prints every pattern', async () => {
    const { out } = await loadgen(['list']);
    const [patterns = '', note] = out.split('\n\n');
    expect(note).toMatch(/^These patterns are for the demo API/);
    expect(patterns.match(/^\S+/gm)?.join(' ')).toBe('lab hundred not-found steady ramp rolling spike mixed');
  });

  it('validate prints ok, or the mistakes of all files', async () => {
    const [good, bad] = [at('good.yaml'), at('bad.yaml')];
    await writeFile(good, 'targets: [{path: /, count: 1}]');
    await writeFile(bad, 'targets: [{path: x, count: 0}]');
    expect(await loadgen(['validate', good])).toEqual({ code: 0, out: `${good}: ok\n`, err: '' });
    const { code, err } = await loadgen(['validate', good, bad]);
    expect([code, err.trim().split('\n').length]).toEqual([2, 2]);
  });

  it.each(['pattern', 'report'])('the committed schema of the %s matches the code', async (what) => {
    const committed = await readFile(new URL(`../${what}.schema.json`, import.meta.url), 'utf8');
    expect((await loadgen(['schema', what])).out).toBe(committed);
  });

  it('the example file is valid', async () => {
    const example = new URL('../patterns/checkout.yaml', import.meta.url).pathname;
    expect((await loadgen(['validate', example])).code).toBe(0);
  });

  it.each(['-V', '--version'])('%s prints the version of the package', async (flag) => {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
    expect(await loadgen([flag])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it.each([['--help'], ['help', 'run'], ['run', '--help'], ['verify', '--help']])(
    '%s %s prints the usage',
    async (...args) => {
      const out = expect.stringContaining('Usage: exact-load');
      expect(await loadgen(args)).toMatchObject({ code: 0, out });
    },
  );

  it('--help lists the same exit codes as the README, and what each means', async () => {
    const [, codes = ''] = (await loadgen(['--help'])).out.split('Exit codes:\n');
    const [, summary = ''] = read('loadgen/README.md').split('### Exit codes\n');
    const named = [...summary.matchAll(/\*\*(\d+)\*\*: /g)].map(([, code]) => code);
    expect([...codes.matchAll(/^ {2}(\d+) +\w/gm)].map(([, code]) => code)).toEqual(named);
    expect(named.map(Number)).toEqual(Object.values(EXIT));
  });
});
