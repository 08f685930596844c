import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Report } from '../src/report/report.ts';
import { ledgerFiles, openLedger, readEntry, saveEntry } from '../src/verify/ledger.ts';
import type { Snapshot } from '../src/verify/process.ts';
import type { RunRecord } from '../src/verify/record.ts';
import { baselineOf, createRebase, verifyRuns } from '../src/verify/verify-runs.ts';
import { textRow, valuesOf } from './series-text.ts';

const CART = 'http_requests_total{path="cart",method="get"}';
const DURATION = 'http_request_duration_seconds_count{path="cart",method="get",code="200"}';

/** A snapshot of one instance that has counted so many. */
function snapshot(
  askedAtSeconds: number,
  counted: number,
  startTimeSeconds = 100,
  instance = 'api-1',
): Snapshot {
  const values = valuesOf({ [CART]: counted, [DURATION]: counted, inprogress_requests: 0 });
  return {
    askedAtSeconds,
    instances: [
      { labels: { job: 'api', instance }, startTimeSeconds, scrapedAtSeconds: askedAtSeconds + 1, values },
    ],
  };
}

function runOf(before: Snapshot, sent: number, overrides: Partial<Report> = {}): Report {
  return {
    kind: 'loadgen-run',
    version: 4,
    id: '6f1c8a52-6a0b-4c53-9a3e-0d3f6f0f5a11',
    state: 'finished',
    startedAt: new Date(before.askedAtSeconds * 1000).toISOString(),
    endedAt: null,
    target: 'http://api:5001',
    prometheus: 'http://prometheus:9090',
    seed: 1,
    planId: 'a1',
    shard: { index: 1, of: 1 },
    lostShards: [],
    latency: null,
    environment: { arguments: [], node: '24', system: 'Linux', processors: '2' },
    phases: [],
    expectedCounts: [
      { series: { path: 'cart', method: 'get' }, answered: { 200: sent }, unknown: 0, notSent: 0 },
    ],
    snapshots: { before, after: null },
    verification: null,
    ...overrides,
  };
}

describe('verify', () => {
  it('adds up the runs of the present process, from the baseline of the first', () => {
    const entries = [runOf(snapshot(300, 17), 5), runOf(snapshot(200, 7), 10)];
    const { verification, runs } = verifyRuns(entries, snapshot(400, 22));
    expect([verification.verdict, verification.answered, runs]).toEqual(['verified', 15, 2]);
  });

  it('finds the request that was sent between two runs', () => {
    const entries = [runOf(snapshot(200, 0), 10), runOf(snapshot(300, 11), 5)];
    const { verification } = verifyRuns(entries, snapshot(400, 16));
    expect(verification.verdict).toBe('failed');
    expect(verification.rows.map(textRow).find(({ series }) => series === CART)).toMatchObject({
      atLeast: 15,
      counted: 16,
      difference: 1,
    });
  });

  it('adds a run during which the process was replaced', () => {
    const [last] = snapshot(250, 14).instances;
    if (!last) throw new Error('expected an instance');
    const after = { ...snapshot(300, 3, 250), terminated: [{ ...last, isDrained: true }] };
    const run = runOf(snapshot(200, 7), 10);
    const entries = [
      { ...run, snapshots: { before: snapshot(200, 7), after } },
      runOf(snapshot(350, 3, 250), 5),
    ];
    const now = { ...after, ...snapshot(400, 8, 250) };
    expect(baselineOf(entries, now)).toEqual(snapshot(200, 7));
    expect(verifyRuns(entries, now)).toMatchObject({
      runs: 2,
      notes: [],
      verification: { verdict: 'verified' },
    });
  });

  it('leaves out the runs of an earlier process, and says so', () => {
    const entries = [runOf(snapshot(200, 0, 100), 10), runOf(snapshot(300, 0, 250), 5)];
    const { verification, runs, notes } = verifyRuns(entries, snapshot(400, 5, 250));
    expect([verification.verdict, runs]).toEqual(['verified', 1]);
    expect(notes).toEqual(['1 earlier run left out: the API was restarted since']);
  });

  it('refuses to compare nothing', () => {
    const entries = [runOf(snapshot(200, 0, 100), 10)];
    expect(() => verifyRuns(entries, snapshot(400, 0, 250))).toThrow(
      /1 earlier run left out.*\nnothing to verify/,
    );
    expect(() => verifyRuns([], snapshot(400, 0))).toThrow('nothing to verify');
  });

  it('is unverifiable after a run that was killed, because what it sent is not known', () => {
    const entries = [runOf(snapshot(200, 0), 10), runOf(snapshot(300, 10), 0, { state: 'started' })];
    const { verification } = verifyRuns(entries, snapshot(400, 12));
    expect(verification).toMatchObject({ verdict: 'unverifiable', rows: [] });
    expect(verification.obstacles[0]).toContain('did not end (killed, or still running)');
  });

  it('is unverifiable when one replica of several was replaced, and names it', () => {
    const both = {
      ...snapshot(200, 0),
      instances: ['api-1', 'api-2'].flatMap((i) => snapshot(200, 0, 100, i).instances),
    };
    const { verification } = verifyRuns([runOf(both, 10)], snapshot(400, 4));
    expect(verification.obstacles).toEqual(['api-2 has terminated, and what it had counted is lost']);
  });

  it('begins again at a rebase: what was counted before it is taken as given', () => {
    const entries = [
      runOf(snapshot(200, 0), 10),
      createRebase(snapshot(300, 11)),
      runOf(snapshot(350, 11), 4),
    ];
    const { verification, runs } = verifyRuns(entries, snapshot(400, 15));
    expect([verification.verdict, verification.answered, runs]).toEqual(['verified', 4, 1]);
  });

  it('takes for shards that overlap what the earliest scrape of each instance had counted', () => {
    const late = snapshot(301, 4);
    const early = snapshot(300, 7);
    const [instance] = early.instances;
    if (instance === undefined) throw new Error('a snapshot has an instance');
    // The snapshot that was asked for first was scraped last, when the other shard had sent already.
    const first = { ...early, instances: [{ ...instance, scrapedAtSeconds: 309 }] };
    const { verification } = verifyRuns([runOf(first, 5), runOf(late, 5)], snapshot(400, 14));
    expect(verification.verdict).toBe('verified');
  });

  it('can be green right after a rebase, before any run', () => {
    const { verification, runs } = verifyRuns([createRebase(snapshot(300, 11))], snapshot(400, 11));
    expect([verification.verdict, runs]).toEqual(['verified', 0]);
  });
});

describe('the ledger folder', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('keeps what it was given, one file a run, and replaces a run by its later state', async () => {
    const made = join(folder, 'made', 'here');
    const run = runOf(snapshot(200, 0), 10);
    await openLedger(made);
    await saveEntry(made, { ...run, state: 'started' });
    await saveEntry(made, run);
    await saveEntry(made, createRebase(snapshot(300, 10)));
    const files = await ledgerFiles(made);
    expect(files).toHaveLength(2);
    expect(await readdir(made)).toEqual(files.map((file) => file.slice(made.length + 1)));
    const { kind, version, id, state, startedAt, expectedCounts, snapshots } = run;
    const record: RunRecord = { kind, version, id, state, startedAt, expectedCounts, snapshots };
    expect(await Promise.all(files.map(readEntry))).toContainEqual(record);
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, 40), /broken\.json: not a report: .*JSON/],
    ['of another kind', () => '{"kind":"shopping-list"}', /broken\.json: kind: Invalid/],
    [
      'with a wrong count',
      (text: string) => text.replace('"200":10', '"200":-1'),
      /broken\.json: expectedCounts\.0\.answered\.200: /,
    ],
  ])('names file and place of an entry that is %s', async (_, damage, message) => {
    const file = join(folder, 'broken.json');
    await writeFile(file, damage(JSON.stringify(runOf(snapshot(200, 0), 10))));
    await expect(readEntry(file)).rejects.toThrow(message);
  });

  it('leaves out what a generator with another form of reports has written', async () => {
    const file = join(folder, 'older.json');
    await writeFile(file, JSON.stringify({ ...runOf(snapshot(200, 0), 10), version: 3 }));
    expect(await readEntry(file)).toBeUndefined();
  });

  it('reads a report with more or less in it, as long as expectedCounts and snapshots are there', async () => {
    const file = join(folder, 'other.json');
    const { phases, ...other } = { ...runOf(snapshot(200, 0), 10), mood: 'sunny' };
    await writeFile(file, JSON.stringify(other));
    expect(phases).toEqual([]);
    expect(await readEntry(file)).toMatchObject({
      kind: 'loadgen-run',
      expectedCounts: other.expectedCounts,
      snapshots: other.snapshots,
    });
  });

  it('says where it cannot write or read', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(openLedger(file)).rejects.toThrow(`--ledger: cannot make ${file}`);
    await expect(ledgerFiles(join(folder, 'gone'))).rejects.toThrow('--ledger: cannot read');
  });
});
