/** Several shards, as several machines send them, and their sum. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { type Report, reportSchema } from '../src/report/report.ts';
import { type Ended, loadgen, useLab } from './loadgen.ts';

// Several runs each, which on a busy machine take their time.
jest.setTimeout(30_000);

const lab = useLab();
const fileOf = (n: number) => lab.at(`${n}.json`);
const reportOf = async (n: number) => reportSchema.parse(JSON.parse(await readFile(fileOf(n), 'utf8')));

/** Sends all shards at the same time. */
function sendShards(of: number, words: string): Promise<Ended[]> {
  const shards = Array.from({ length: of }, (_, n) => n + 1);
  return Promise.all(shards.map((n) => lab.run(`${words} --shard ${n}/${of} --json ${fileOf(n)}`)));
}

/** @param words numbers of shards, and flags */
function combine(words: string): Promise<Ended> {
  return loadgen(`combine ${words.replaceAll(/(?<!\S)\d(?!\S)/g, (n) => fileOf(Number(n)))}`);
}

describe('loadgen combine', () => {
  it.each<[string, (phase: Report['phases'][number]) => unknown, string]>([
    ['a histogram', (phase) => Object.assign(phase.histograms, { latency: 'AAAA' }), 'histograms.latency'],
    ['a threshold', (phase) => phase.plan.thresholds.push('p99 is low'), 'plan.thresholds.1'],
    [
      'a course',
      (phase) => Object.assign(phase.timeline.points[0] ?? {}, { latency: '-' }),
      'timeline.points.0.latency',
    ],
  ])('names the place of %s that cannot be read', async (_, spoil, place) => {
    await sendShards(1, 'hundred');
    const report = await reportOf(1);
    report.phases.forEach(spoil);
    await lab.write('1.json', JSON.stringify(report));
    const err = expect.stringMatching(`^${fileOf(1)}: phases\\.0\\.${place}: expected `);
    for (const command of ['combine', 'report'])
      expect(await loadgen([command, fileOf(1)])).toMatchObject({ code: 1, err });
  });

  it('verifies that 4 shards of hundred have sent exactly its 100 requests', async () => {
    const shards = await sendShards(4, `hundred ${lab.prometheus}`);
    expect(shards.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(shards[1]?.out).toContain('hundred: 25 requests sent');
    expect(shards[1]?.out).toContain('shard 2 of 4: thresholds and verification are about the whole');
    expect(shards[1]?.out).not.toContain('threshold ');
    const { code, out } = await combine(`1 2 3 4 ${lab.prometheus}`);
    expect(out).toContain('hundred: 100 requests sent');
    expect(out).toContain('answered  100   50 x 200   50 x 201');
    expect(out).toContain('threshold unanswered=0: ok (0)');
    expect(out).toMatch(/path="products" method="post" +40 +40 +0\n/);
    expect(out).toContain('verified: 100 requests, every one counted exactly once');
    expect(code).toBe(0);
  });

  it('sends the same requests whatever the number of shards', async () => {
    const sent: string[] = [];
    lab.stack.api.intercept = (request) => {
      sent.push(`${request.method} ${request.url}`);
      return false;
    };
    await lab.run('lab hundred');
    const whole = sent.splice(0).sort();
    await sendShards(3, 'lab hundred');
    expect(sent.sort()).toEqual(whole);
    expect(whole).toHaveLength(233);
  });

  it('names a shard that left no report, and one that did not end, and fails', async () => {
    await sendShards(4, `hundred ${lab.prometheus}`);
    const started = { ...(await reportOf(3)), state: 'started', phases: [], expectedCounts: [] };
    await lab.write('3.json', JSON.stringify(started));
    const { code, out } = await combine(`1 3 4 ${lab.prometheus} --json ${lab.at('9.json')}`);
    expect(code).toBe(1);
    expect(out).toContain('shard 2/4 left no report: it is in none of these numbers');
    expect(out).toContain('shard 3/4 did not end: it is in none of these numbers');
    expect(out).toContain('unverifiable:\n  shard 2/4 left no report: what it sent is not known');
    const { lostShards, phases } = await reportOf(9);
    expect(lostShards).toMatchObject([
      { index: 2, of: 4 },
      { index: 3, of: 4 },
    ]);
    expect(phases[0]?.sent).toBe(50);
  });

  it('checks the thresholds of the whole, which a shard does not know', async () => {
    let answered = 0;
    lab.stack.api.intercept = (_request, response) => {
      if (answered++ % 10 !== 0) return false;
      response.writeHead(500).end();
      return true;
    };
    const shards = await sendShards(2, 'hundred --threshold errors<8');
    expect(shards.map(({ code }) => code)).toEqual([0, 0]);
    const out = expect.stringContaining('errors<8: FAILED (10)');
    expect(await combine('1 2')).toMatchObject({ code: 1, out });
  });

  it('finds the request of another client', async () => {
    await sendShards(2, `hundred ${lab.prometheus}`);
    await (await fetch(`${lab.stack.target.url}/cart`)).text();
    const out = expect.stringContaining('http_requests_total{path="cart",method="get"}: counted 1 more');
    expect(await combine(`1 2 ${lab.prometheus}`)).toMatchObject({ code: 1, out });
  });

  it('refuses what is not parts of one run, and says which', async () => {
    await sendShards(2, 'hundred');
    const refused = async (words: string, message: string, code = 1) =>
      expect(await combine(words)).toMatchObject({ code, err: expect.stringContaining(message) });
    const other = `--json ${fileOf(5)}`;
    await lab.run(`hundred ${other} --shard 2/2 --seed 5`);
    await refused('1 5', 'expected the seed 1, got 5');
    await lab.run(`hundred ${other} --shard 2/2 --connections 4`);
    await refused('1 5', `not sent by the same plan as ${fileOf(1)}`);
    await lab.run(`hundred ${other} --shard 2/3`);
    await refused('1 5', 'expected a shard of 2');
    await lab.run(`hundred ${other}`);
    await refused('1 5', 'is no shard');
    await refused('1 1', 'is there twice');
    await refused('1 7', 'cannot read', 2);
    await refused(`1 2 ${lab.prometheus}`, 'the shards were sent without it', 2);
    const localhost = lab.stack.target.url.replace('127.0.0.1', 'localhost');
    await loadgen(`run hundred ${other} --shard 2/2 --target ${localhost}`);
    const targets = `expected the target ${lab.stack.target.url}, got ${localhost}`;
    await refused('1 5', `combine: ${fileOf(5)} (shard 2/2 of `);
    await refused('1 5', targets);
  });

  it('refuses shards whose patterns differ only in what is sent', async () => {
    for (const [n, body] of [
      [1, 'one'],
      [2, 'two'],
    ] as const) {
      const targets = `targets: [{path: /cart, method: POST, count: 10, body: ${body}}]`;
      await lab.run(`${await lab.write('own.yaml', targets)} --shard ${n}/2 --json ${fileOf(n)}`);
    }
    const err = expect.stringContaining(`not sent by the same plan as ${fileOf(1)}`);
    expect(await combine('1 2')).toMatchObject({ code: 1, err });
  });
});

it('the ledger adds shards up as it does runs', async () => {
  await sendShards(3, `hundred ${lab.prometheus} ${lab.ledger}`);
  const out = expect.stringContaining('verified: 100 requests, every one counted exactly once');
  expect(await loadgen(`verify ${lab.ledger} ${lab.prometheus}`)).toMatchObject({ code: 0, out });
});

it('--start-at begins at that moment', async () => {
  let firstMs = 0;
  lab.stack.api.intercept = () => {
    firstMs ||= Date.now();
    return false;
  };
  const atMs = Date.now() + 3000;
  const startAt = new Date(atMs).toISOString();
  expect(await lab.run(`hundred --start-at ${startAt}`)).toMatchObject({ code: 0 });
  expect(firstMs).toBeGreaterThanOrEqual(atMs - 1);
  expect(firstMs - atMs).toBeLessThan(2000);
});
