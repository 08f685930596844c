/** Several shards, as several machines send them, and their sum. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Report, reportSchema } from '../src/report/report.ts';
import { type FakeStack, startFakeStack } from './fake-stack.ts';
import { type Ended, loadgen } from './loadgen.ts';

let stack: FakeStack;
let folder = '';
beforeEach(async () => {
  stack = await startFakeStack();
  folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
});
afterEach(async () => {
  await stack.stop();
  await rm(folder, { recursive: true });
});

// Several runs each, which on a busy machine take their time.
jest.setTimeout(30_000);

const fileOf = (n: number) => join(folder, `${n}.json`);
const verification = () => ['--prometheus', stack.observer.url, '--wait', '5s'];

/** Sends all shards at the same time. */
function sendShards(of: number, ...args: string[]): Promise<Ended[]> {
  const shards = Array.from({ length: of }, (_, n) => n + 1);
  return Promise.all(
    shards.map((n) =>
      loadgen(['run', ...args, '--shard', `${n}/${of}`, '--target', stack.target.url, '--json', fileOf(n)]),
    ),
  );
}

const filesOf = (...shards: number[]) => shards.map(fileOf);

describe('loadgen combine', () => {
  it.each([
    ['a histogram', (phase) => Object.assign(phase.histograms, { latency: 'AAAA' }), 'histograms.latency'],
    ['a threshold', (phase) => phase.plan.thresholds.push('p99 is low'), 'plan.thresholds.1'],
    [
      'a course',
      (phase) => Object.assign(phase.timeline.points[0] ?? {}, { latency: '-' }),
      'timeline.points.0.latency',
    ],
  ] as [string, (phase: Report['phases'][number]) => void, string][])(
    'names the place of %s that cannot be read',
    async (_, spoil, place) => {
      await sendShards(1, 'hundred');
      const report = reportSchema.parse(JSON.parse(await readFile(fileOf(1), 'utf8')));
      for (const phase of report.phases) spoil(phase);
      await writeFile(fileOf(1), JSON.stringify(report));
      for (const command of ['combine', 'report'])
        expect(await loadgen([command, fileOf(1)])).toMatchObject({
          code: 1,
          err: expect.stringMatching(`^${fileOf(1)}: phases\\.0\\.${place}: expected `),
        });
    },
  );

  it('verifies that 4 shards of hundred have sent exactly its 100 requests', async () => {
    const shards = await sendShards(4, 'hundred', ...verification());
    expect(shards.map(({ code, err }) => [code, err])).toEqual(Array(4).fill([0, expect.any(String)]));
    expect(shards[1]?.out).toContain('hundred: 25 requests sent');
    expect(shards[1]?.out).toContain('shard 2 of 4: thresholds and verification are about the whole');
    expect(shards[1]?.out).not.toContain('threshold ');
    const { code, out } = await loadgen(['combine', ...filesOf(1, 2, 3, 4), ...verification()]);
    expect(out).toContain('hundred: 100 requests sent');
    expect(out).toContain('answered  100   50 x 200   50 x 201');
    expect(out).toContain('threshold unanswered=0: ok (0)');
    expect(out).toMatch(/path="products" method="post" +40 +40 +0\n/);
    expect(out).toContain('verified: 100 requests, every one counted exactly once');
    expect(code).toBe(0);
  });

  it('sends the same requests whatever the number of shards', async () => {
    const sent: string[] = [];
    stack.api.intercept = (request) => {
      sent.push(`${request.method} ${request.url}`);
      return false;
    };
    await loadgen(['run', 'lab', 'hundred', '--target', stack.target.url]);
    const whole = sent.splice(0).sort();
    await sendShards(3, 'lab', 'hundred');
    expect(sent.sort()).toEqual(whole);
    expect(whole).toHaveLength(233);
  });

  it('names a shard that left no report, and one that did not end, and fails', async () => {
    await sendShards(4, 'hundred', ...verification());
    const started = JSON.parse(await readFile(fileOf(3), 'utf8'));
    await writeFile(
      fileOf(3),
      JSON.stringify({ ...started, state: 'started', phases: [], expectedCounts: [] }),
    );
    const json = join(folder, 'whole.json');
    const { code, out } = await loadgen(['combine', ...filesOf(1, 3, 4), ...verification(), '--json', json]);
    expect(code).toBe(1);
    expect(out).toContain('shard 2/4 left no report: it is in none of these numbers');
    expect(out).toContain('shard 3/4 did not end: it is in none of these numbers');
    expect(out).toContain('unverifiable:\n  shard 2/4 left no report: what it sent is not known');
    const report = reportSchema.parse(JSON.parse(await readFile(json, 'utf8')));
    expect(report.lostShards.map(({ index, of }) => [index, of])).toEqual([
      [2, 4],
      [3, 4],
    ]);
    expect(report.phases[0]?.sent).toBe(50);
  });

  it('judges the thresholds of the whole, which a shard does not know', async () => {
    let answered = 0;
    stack.api.intercept = (_request, response) => {
      if (answered++ % 10 !== 0) return false;
      response.writeHead(500).end();
      return true;
    };
    const shards = await sendShards(2, 'hundred', '--threshold', 'errors<8');
    expect(shards.map(({ code }) => code)).toEqual([0, 0]);
    const { code, out } = await loadgen(['combine', ...filesOf(1, 2)]);
    expect([code, out]).toEqual([1, expect.stringContaining('errors<8: FAILED (10)')]);
  });

  it('finds the request of somebody else', async () => {
    await sendShards(2, 'hundred', ...verification());
    await (await fetch(`${stack.target.url}/cart`)).text();
    const { code, out } = await loadgen(['combine', ...filesOf(1, 2), ...verification()]);
    expect(code).toBe(1);
    expect(out).toContain('http_requests_total{path="cart",method="get"}: counted 1 more than sent');
  });

  it('refuses what is not parts of one run, and says which', async () => {
    await sendShards(2, 'hundred');
    const other = join(folder, 'other.json');
    const run = ['run', 'hundred', '--target', stack.target.url, '--json', other];
    await loadgen([...run, '--shard', '2/2', '--seed', '5']);
    const seeds = await loadgen(['combine', fileOf(1), other]);
    expect([seeds.code, seeds.err]).toEqual([1, expect.stringContaining('expected the seed 1, got 5')]);
    await loadgen([...run, '--shard', '2/2', '--connections', '4']);
    expect((await loadgen(['combine', fileOf(1), other])).err).toContain('not sent by the same plan');
    await loadgen([...run, '--shard', '2/3']);
    expect((await loadgen(['combine', fileOf(1), other])).err).toContain('expected a shard of 2');
    await loadgen(run);
    expect((await loadgen(['combine', fileOf(1), other])).err).toContain('is no shard');
    expect((await loadgen(['combine', fileOf(1), fileOf(1)])).err).toContain('is there twice');
    expect((await loadgen(['combine', fileOf(1), join(folder, 'gone.json')])).code).toBe(2);
    const unread = await loadgen(['combine', ...filesOf(1, 2), ...verification()]);
    expect([unread.code, unread.err]).toEqual([
      2,
      expect.stringContaining('the shards were sent without it'),
    ]);
  });
});

describe('shards of different runs', () => {
  const send = async (n: number, pattern: string, target = stack.target.url) => {
    await writeFile(join(folder, 'own.yaml'), pattern);
    const args = ['run', join(folder, 'own.yaml'), '--shard', `${n}/2`, '--json', fileOf(n)];
    expect(await loadgen([...args, '--target', target])).toMatchObject({ code: 0 });
  };

  it('are refused when they were sent to different targets, by the name of the report', async () => {
    await send(1, 'targets: [{path: /cart, count: 10}]');
    const other = stack.target.url.replace('127.0.0.1', 'localhost');
    await send(2, 'targets: [{path: /cart, count: 10}]', other);
    const { code, err } = await loadgen(['combine', ...filesOf(1, 2)]);
    expect(code).toBe(1);
    expect(err).toContain(`combine: ${fileOf(2)} (shard 2/2 of `);
    expect(err).toContain(`expected the target ${stack.target.url}, got ${other}`);
  });

  it('are refused when their patterns differ only in what is sent', async () => {
    const pattern = (text: string) => `targets: [{path: /cart, method: POST, count: 10, body: ${text}}]`;
    await send(1, pattern('one'));
    await send(2, pattern('two'));
    const { code, err } = await loadgen(['combine', ...filesOf(1, 2)]);
    expect([code, err]).toEqual([1, expect.stringContaining(`not sent by the same plan as ${fileOf(1)}`)]);
  });
});

describe('the ledger', () => {
  it('adds shards up as it does runs', async () => {
    await sendShards(3, 'hundred', ...verification(), '--ledger', join(folder, 'ledger'));
    const { code, out } = await loadgen(['verify', '--ledger', join(folder, 'ledger'), ...verification()]);
    expect(out).toContain('verified: 100 requests, every one counted exactly once');
    expect(code).toBe(0);
  });
});

describe('--start-at', () => {
  it('begins at that moment', async () => {
    let firstMs = 0;
    stack.api.intercept = () => {
      firstMs ||= Date.now();
      return false;
    };
    const atMs = Date.now() + 3000;
    const args = ['--start-at', new Date(atMs).toISOString(), '--target', stack.target.url];
    expect(await loadgen(['run', 'hundred', ...args])).toMatchObject({ code: 0 });
    expect(firstMs).toBeGreaterThanOrEqual(atMs - 1);
    expect(firstMs - atMs).toBeLessThan(2000);
  });

  it('refuses a moment that is over', async () => {
    const { code, err } = await loadgen(['run', '--start-at', '2020-01-01T00:00:00Z']);
    expect([code, err]).toEqual([2, expect.stringContaining('expected a moment to come')]);
  });
});
