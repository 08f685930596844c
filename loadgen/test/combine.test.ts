/** Several shards, as from several machines, and their sum. */
import { readFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Report, reportSchema } from '../src/report/report.ts';
import { useFakeStack } from './fake-stack.ts';
import { type Ended, loadgen, useFolder } from './loadgen.ts';

const stack = useFakeStack();
const at = useFolder();
const files = (...shards: number[]) => shards.map((n) => at(`${n}.json`));
const run = (...args: string[]) => loadgen(['run', ...stack.toTarget, ...args]);
const combine = (...args: string[]) => loadgen(['combine', ...args]);
const read = async (path: string) => reportSchema.parse(JSON.parse(await readFile(path, 'utf8')));

/** Sends all shards at the same time; the name of each report is the number of the shard. */
function sendShards(of: number, ...args: string[]): Promise<Ended[]> {
  const shards = Array.from({ length: of }, (_, n) => n + 1);
  return Promise.all(shards.map((n) => run(...args, '--shard', `${n}/${of}`, '--json', at(`${n}.json`))));
}

describe('exact-load combine', () => {
  it.each<[string, (phase: Report['phases'][number]) => void, string]>([
    ['histogram', (phase) => Object.assign(phase.histograms, { latency: 'AAAA' }), 'histograms.latency'],
    ['threshold', (phase) => phase.plan.thresholds.push('p99 is low'), 'plan.thresholds.1'],
    [
      'timeline',
      (phase) => Object.assign(phase.timeline.points[0] ?? {}, { latency: '-' }),
      'timeline.points.0.latency',
    ],
  ])('names the mistake in a %s that cannot be read, like report', async (_, spoil, place) => {
    await sendShards(1, 'hundred');
    const report = await read(at('1.json'));
    report.phases.forEach(spoil);
    await writeFile(at('1.json'), JSON.stringify(report));
    const err = expect.stringMatching(`^${at('1.json')}: phases\\.0\\.${place}: expected `);
    for (const command of ['combine', 'report'])
      expect(await loadgen([command, at('1.json')])).toMatchObject({ code: 1, err });
  });

  it('verifies that 4 shards of hundred sent exactly 100 requests, and so does the ledger', async () => {
    const ledger = ['--ledger', at('ledger')];
    const shards = await sendShards(4, 'hundred', ...stack.verified, ...ledger);
    expect(shards.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(shards[1]?.out).toContain('hundred: 25 requests sent');
    expect(shards[1]?.out).toContain('shard 2 of 4: thresholds and verification apply to the whole run');
    expect(shards[1]?.out).not.toContain('threshold ');
    const { code, out } = await combine(...files(1, 2, 3, 4), ...stack.verified);
    expect(out).toContain('hundred: 100 requests sent');
    expect(out).toContain('answered  100   50 x 200   50 x 201');
    expect(out).toContain('threshold unanswered=0: ok (0)');
    expect(out).toMatch(/path="products" method="post" +40 +40 +0\n/);
    const verified = 'verified: 100 requests, every one counted exactly once';
    expect([code, out]).toEqual([0, expect.stringContaining(verified)]);
    const again = await loadgen(['verify', ...stack.verified, ...ledger]);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining(verified) });
  });

  it('names a shard without a report and one that did not finish, and fails', async () => {
    await sendShards(4, 'hundred', ...stack.verified);
    const started = { ...(await read(at('3.json'))), state: 'started', phases: [], expectedCounts: [] };
    await writeFile(at('3.json'), JSON.stringify(started));
    const { code, out } = await combine(...files(1, 3, 4), ...stack.verified, '--json', at('whole.json'));
    expect(code).toBe(1);
    expect(out).toContain('shard 2/4 left no report: its requests are missing from these numbers');
    expect(out).toContain('shard 3/4 did not finish: its requests are missing from these numbers');
    expect(out).toContain('unverifiable:\n  shard 2/4 left no report: its requests are unknown');
    const { lostShards, phases } = await read(at('whole.json'));
    expect(lostShards.map(({ index, of }) => `${index}/${of}`)).toEqual(['2/4', '3/4']);
    expect(phases[0]?.sent).toBe(50);
  });

  it('checks the thresholds of the whole run, which a shard cannot', async () => {
    let requests = 0;
    stack.api.intercept = (_request, response) => {
      if (requests++ % 10 !== 0) return false;
      response.writeHead(500).end();
      return true;
    };
    const shards = await sendShards(2, 'hundred', '--threshold', 'errors<8');
    expect(shards.map(({ code }) => code)).toEqual([0, 0]);
    const out = expect.stringContaining('errors<8: FAILED (10)');
    expect(await combine(...files(1, 2))).toMatchObject({ code: 1, out });
  });

  it('refuses to verify shards that were sent without Prometheus', async () => {
    await sendShards(2, 'hundred');
    const err = expect.stringContaining('expected shards that were sent with it');
    expect(await combine(...files(1, 2), ...stack.verified)).toMatchObject({ code: 2, err });
  });
});

describe('reports that are not shards of one run are refused, by name', () => {
  const own = (body: string) => `targets: [{path: /cart, method: POST, count: 10, body: ${body}}]`;
  beforeEach(async () => {
    await writeFile(at('own.yaml'), own('one'));
    expect(await run(at('own.yaml'), '--shard', '1/2', '--json', at('1.json'))).toMatchObject({ code: 0 });
  });

  const OTHER_PLAN = 'has another plan than FIRST: target, seed, number of shards, patterns or flags differ';
  it.each<[string, string[], string, body?: string]>([
    ['of another seed', ['--shard', '2/2', '--seed', '5'], OTHER_PLAN],
    ['with other flags', ['--shard', '2/2', '-c', '4'], OTHER_PLAN],
    ['of another number of shards', ['--shard', '2/3'], OTHER_PLAN],
    ['of another target', ['--shard', '2/2', '--target', 'LOCALHOST'], OTHER_PLAN],
    ['of other bodies', ['--shard', '2/2'], OTHER_PLAN, 'two'],
    ['of a whole run', [], 'is not a shard but a whole run'],
    ['of the same shard', ['--shard', '1/2'], 'is given twice: report 1 is the same shard'],
  ])('%s', async (_, flags, reason, body = 'one') => {
    await writeFile(at('own.yaml'), own(body));
    const localhost = stack.target.url.replace('127.0.0.1', 'localhost');
    const given = flags.map((flag) => flag.replace('LOCALHOST', localhost));
    await run(at('own.yaml'), ...given, '--json', at('2.json'));
    const { code, err } = await combine(...files(1, 2));
    expect([code, err]).toEqual([1, expect.stringContaining(reason.replace('FIRST', at('1.json')))]);
    expect(err).toContain(`combine: ${at('2.json')} (shard `);
  });
});

it('starts at the time of --start-at', async () => {
  let nowMs = Date.now();
  const now = jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
  const atMs = nowMs + 200;
  let firstMs = 0;
  stack.api.beforeRequest(1, () => {
    firstMs = nowMs;
  });
  const ended = run('hundred', '--start-at', new Date(atMs).toISOString());
  setTimeout(() => {
    nowMs = atMs;
  }, 300);
  expect(await ended).toMatchObject({ code: 0 });
  expect(firstMs).toBe(atMs);
  now.mockRestore();
});
