import { readdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import type { Report } from '../src/report/report.ts';
import { ledgerFiles, openLedger, readRecord, saveRecord, startLedger } from '../src/verify/ledger.ts';
import type { Snapshot } from '../src/verify/process.ts';
import { baselineOf, verifyRuns as verifyRunsBy } from '../src/verify/verify-runs.ts';
import { useFolder } from './loadgen.ts';
import { reportOf } from './reports.ts';
import { cart, GET_CART, OURS, served, snapshotOf, textRow } from './snapshots.ts';

const verifyRuns = (entries: Parameters<typeof verifyRunsBy>[0], now: Snapshot) =>
  verifyRunsBy(entries, now, OURS);

/** One instance with this count. */
const snapshot = (askedAtSeconds: number, counted: number, start = 100): Snapshot =>
  snapshotOf({ 'api-1': served(counted, { start }) }, askedAtSeconds);

/** A run with this number of requests after a snapshot. */
function runOf(before: Snapshot, sent: number, overrides: Partial<Report> = {}): Report {
  const startedAt = new Date(before.askedAtSeconds * 1000).toISOString();
  const expectedCounts = [cart({ answered: { 200: sent } })];
  return reportOf([], { startedAt, expectedCounts, snapshots: { before, after: null }, ...overrides });
}

describe('verify', () => {
  it.each([
    [
      'adds up the runs of the current process, from the baseline of the first',
      [runOf(snapshot(300, 17), 5), runOf(snapshot(200, 7), 10)],
      snapshot(400, 22),
      { verdict: 'verified', answered: 15 },
      { runs: 2, notes: [] },
    ],
    [
      'skips the runs of an earlier process, and reports that',
      [runOf(snapshot(200, 0, 100), 10), runOf(snapshot(300, 0, 250), 5)],
      snapshot(400, 5, 250),
      { verdict: 'verified', answered: 5 },
      { runs: 1, notes: ['skipped 1 earlier run: the API has restarted since'] },
    ],
  ])('%s', (_, entries, now, verification, outcome) => {
    expect(verifyRuns(entries, now)).toMatchObject({ verification, ...outcome });
  });

  it('detects a request that was sent between two runs', () => {
    const entries = [runOf(snapshot(200, 0), 10), runOf(snapshot(300, 11), 5)];
    const { verification } = verifyRuns(entries, snapshot(400, 16));
    expect(verification.verdict).toBe('failed');
    const row = { series: GET_CART, atLeast: 15, atMost: 15, counted: 16, difference: 1 };
    expect(verification.rows.map(textRow)).toContainEqual(row);
  });

  it('adds a run during which the process was replaced', () => {
    const before = snapshot(200, 7);
    const terminated = snapshot(250, 14).instances.map((process) => ({ ...process, isDrained: true }));
    const after = { ...snapshot(300, 3, 250), terminated };
    const entries = [runOf(before, 10, { snapshots: { before, after } }), runOf(snapshot(350, 3, 250), 5)];
    const now = { ...snapshot(400, 8, 250), terminated };
    expect(baselineOf(entries, now)).toEqual(before);
    const outcome = { runs: 2, notes: [], verification: { verdict: 'verified' } };
    expect(verifyRuns(entries, now)).toMatchObject(outcome);
  });

  it('refuses to compare nothing', () => {
    const compare = (runs: Report[]) => () => verifyRuns(runs, snapshot(400, 0, 250));
    expect(compare([runOf(snapshot(200, 0), 10)])).toThrow(/skipped 1 earlier run.*\nnothing to verify/);
    expect(compare([])).toThrow('nothing to verify');
  });

  it('is unverifiable after a killed run, because its requests are unknown', () => {
    const entries = [runOf(snapshot(200, 0), 10), runOf(snapshot(300, 10), 0, { state: 'started' })];
    const { verification } = verifyRuns(entries, snapshot(400, 12));
    expect(verification).toMatchObject({ verdict: 'unverifiable', rows: [] });
    expect(verification.obstacles[0]).toContain('did not finish (killed, or still running)');
  });

  it('is unverifiable if one of several replicas was replaced, and names it', () => {
    const both = snapshotOf({ 'api-1': { start: 100 }, 'api-2': { start: 100 } }, 200);
    const { verification } = verifyRuns([runOf(both, 10)], snapshot(400, 4));
    expect(verification.obstacles).toEqual(['api-2 terminated, and its counts are lost']);
  });

  it('starts from the earliest scrape of each instance if shards overlap', () => {
    const early = snapshot(300, 7);
    // The snapshot that was requested first was scraped last, after the other shard had sent requests.
    const instances = early.instances.map((instance) => ({ ...instance, scrapedAtSeconds: 309 }));
    const entries = [runOf({ ...early, instances }, 5), runOf(snapshot(301, 4), 5)];
    expect(verifyRuns(entries, snapshot(400, 14)).verification.verdict).toBe('verified');
  });
});

describe('the ledger folder', () => {
  const at = useFolder();
  const run = runOf(snapshot(200, 0), 10);

  it('stores one file per run, and replaces it by later states of the run', async () => {
    const made = at('made/here');
    await openLedger(made);
    await saveRecord(made, { ...run, state: 'started' });
    await saveRecord(made, run);
    const files = await ledgerFiles(made);
    expect(await readdir(made)).toEqual(files.map((file) => file.slice(made.length + 1)));
    const { kind, version, id, state, startedAt, metrics, expectedCounts, snapshots } = run;
    const record = { kind, version, id, state, startedAt, metrics, expectedCounts, snapshots };
    expect(await Promise.all(files.map(readRecord))).toEqual([record]);
  });

  it('starts again with the current counts, and keeps earlier runs', async () => {
    const read = async () => {
      const records = await Promise.all((await ledgerFiles(at('.'))).map(readRecord));
      return records.filter((record) => record !== undefined);
    };
    await saveRecord(at('.'), run);
    await startLedger(at('.'), OURS, snapshot(300, 11));
    expect(await readdir(at('.'))).toHaveLength(2);
    const verified = { verdict: 'verified', answered: 0 };
    expect(verifyRuns(await read(), snapshot(400, 11))).toMatchObject({ runs: 0, verification: verified });
    await saveRecord(at('.'), runOf(snapshot(350, 11), 4));
    expect(verifyRuns(await read(), snapshot(400, 15))).toMatchObject({
      runs: 1,
      verification: { verdict: 'verified' },
    });
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['cut off', (text) => text.slice(0, 40), /broken\.json: not a report: .*JSON/],
    ['of another kind', () => '{"kind":"shopping-list"}', /broken\.json: kind: Invalid/],
    [
      'with a wrong count',
      (text) => text.replace('"200":10', '"200":-1'),
      /broken\.json: expectedCounts\.0\.answered\.200: /,
    ],
  ])('reports file and place of an entry that is %s', async (_, damage, message) => {
    await writeFile(at('broken.json'), damage(JSON.stringify(run)));
    await expect(readRecord(at('broken.json'))).rejects.toThrow(message);
  });

  it('skips reports of a generator version with another format', async () => {
    await writeFile(at('older.json'), JSON.stringify({ ...run, version: run.version - 1 }));
    expect(await readRecord(at('older.json'))).toBeUndefined();
  });

  it('reads a report with other properties, as long as it has expected counts and snapshots', async () => {
    const { phases: _, ...other } = { ...run, mood: 'sunny' };
    await writeFile(at('other.json'), JSON.stringify(other));
    const { kind, expectedCounts, snapshots } = run;
    expect(await readRecord(at('other.json'))).toMatchObject({ kind, expectedCounts, snapshots });
  });
});
