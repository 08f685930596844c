import { readdir } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import type { Report } from '../src/report/report.ts';
import { ledgerFiles, openLedger, readEntry, saveEntry } from '../src/verify/ledger.ts';
import type { Snapshot } from '../src/verify/process.ts';
import type { RunRecord } from '../src/verify/record.ts';
import { baselineOf, createRebase, verifyRuns } from '../src/verify/verify-runs.ts';
import { useLab } from './loadgen.ts';
import { reportOf } from './reports.ts';
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
  const labels = { job: 'api', instance };
  const process = { labels, startTimeSeconds, scrapedAtSeconds: askedAtSeconds + 1, values };
  return { askedAtSeconds, instances: [process] };
}

function runOf(before: Snapshot, sent: number, overrides: Partial<Report> = {}): Report {
  return reportOf([], {
    startedAt: new Date(before.askedAtSeconds * 1000).toISOString(),
    expectedCounts: [
      { series: { path: 'cart', method: 'get' }, answered: { 200: sent }, unknown: 0, notSent: 0 },
    ],
    snapshots: { before, after: null },
    ...overrides,
  });
}

describe('verify', () => {
  it('adds up the runs of the present process, from the baseline of the first', () => {
    const entries = [runOf(snapshot(300, 17), 5), runOf(snapshot(200, 7), 10)];
    const verification = { verdict: 'verified', answered: 15 };
    expect(verifyRuns(entries, snapshot(400, 22))).toMatchObject({ verification, runs: 2 });
  });

  it('finds the request that was sent between two runs', () => {
    const entries = [runOf(snapshot(200, 0), 10), runOf(snapshot(300, 11), 5)];
    const { verification } = verifyRuns(entries, snapshot(400, 16));
    expect(verification.verdict).toBe('failed');
    const row = { series: CART, atLeast: 15, atMost: 15, counted: 16, difference: 1 };
    expect(verification.rows.map(textRow)).toContainEqual(row);
  });

  it('adds a run during which the process was replaced', () => {
    const terminated = snapshot(250, 14).instances.map((process) => ({ ...process, isDrained: true }));
    const after = { ...snapshot(300, 3, 250), terminated };
    const snapshots = { before: snapshot(200, 7), after };
    const entries = [runOf(snapshot(200, 7), 10, { snapshots }), runOf(snapshot(350, 3, 250), 5)];
    const now = { ...after, ...snapshot(400, 8, 250) };
    expect(baselineOf(entries, now)).toEqual(snapshot(200, 7));
    const verification = { verdict: 'verified' };
    expect(verifyRuns(entries, now)).toMatchObject({ runs: 2, notes: [], verification });
  });

  it('leaves out the runs of an earlier process, and says so', () => {
    const entries = [runOf(snapshot(200, 0, 100), 10), runOf(snapshot(300, 0, 250), 5)];
    expect(verifyRuns(entries, snapshot(400, 5, 250))).toMatchObject({
      verification: { verdict: 'verified' },
      runs: 1,
      notes: ['1 earlier run left out: the API was restarted since'],
    });
  });

  it('refuses to compare nothing', () => {
    const entries = [runOf(snapshot(200, 0, 100), 10)];
    const message = /1 earlier run left out.*\nnothing to verify/;
    expect(() => verifyRuns(entries, snapshot(400, 0, 250))).toThrow(message);
    expect(() => verifyRuns([], snapshot(400, 0))).toThrow('nothing to verify');
  });

  it('is unverifiable after a run that was killed, because what it sent is not known', () => {
    const killed = runOf(snapshot(300, 10), 0, { state: 'started' });
    const { verification } = verifyRuns([runOf(snapshot(200, 0), 10), killed], snapshot(400, 12));
    expect(verification).toMatchObject({ verdict: 'unverifiable', rows: [] });
    expect(verification.obstacles[0]).toContain('did not end (killed, or still running)');
  });

  it('is unverifiable when one replica of several was replaced, and names it', () => {
    const instances = ['api-1', 'api-2'].flatMap((i) => snapshot(200, 0, 100, i).instances);
    const { verification } = verifyRuns([runOf({ ...snapshot(200, 0), instances }, 10)], snapshot(400, 4));
    expect(verification.obstacles).toEqual(['api-2 has terminated, and what it had counted is lost']);
  });

  it('begins again at a rebase: what was counted before it is taken as given', () => {
    const rebase = createRebase(snapshot(300, 11));
    const entries = [runOf(snapshot(200, 0), 10), rebase, runOf(snapshot(350, 11), 4)];
    const verification = { verdict: 'verified', answered: 4 };
    expect(verifyRuns(entries, snapshot(400, 15))).toMatchObject({ verification, runs: 1 });
    // Also before any run.
    const none = { verification: { verdict: 'verified' }, runs: 0 };
    expect(verifyRuns([rebase], snapshot(400, 11))).toMatchObject(none);
  });

  it('takes for shards that overlap what the earliest scrape of each instance had counted', () => {
    const early = snapshot(300, 7);
    // The snapshot that was asked for first was scraped last, when the other shard had sent already.
    const instances = early.instances.map((instance) => ({ ...instance, scrapedAtSeconds: 309 }));
    const entries = [runOf({ ...early, instances }, 5), runOf(snapshot(301, 4), 5)];
    expect(verifyRuns(entries, snapshot(400, 14)).verification.verdict).toBe('verified');
  });
});

describe('the ledger folder', () => {
  const lab = useLab();
  const run = runOf(snapshot(200, 0), 10);

  it('keeps what it was given, one file a run, and replaces a run by its later state', async () => {
    const folder = lab.at('made/here');
    await openLedger(folder);
    await saveEntry(folder, { ...run, state: 'started' });
    await saveEntry(folder, run);
    await saveEntry(folder, createRebase(snapshot(300, 10)));
    const files = await ledgerFiles(folder);
    expect(files).toHaveLength(2);
    expect(await readdir(folder)).toEqual(files.map((file) => file.slice(folder.length + 1)));
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
    const file = await lab.write('broken.json', damage(JSON.stringify(run)));
    await expect(readEntry(file)).rejects.toThrow(message);
  });

  it('leaves out what a generator with another form of reports has written', async () => {
    const older = JSON.stringify({ ...run, version: run.version - 1 });
    expect(await readEntry(await lab.write('older.json', older))).toBeUndefined();
  });

  it('reads a report with more or less in it, as long as what is compared is there', async () => {
    const { phases, ...other } = { ...run, mood: 'sunny' };
    const { kind, expectedCounts, snapshots } = run;
    const entry = await readEntry(await lab.write('other.json', JSON.stringify(other)));
    expect(entry).toMatchObject({ kind, expectedCounts, snapshots });
  });

  it('says where it cannot write or read', async () => {
    const file = await lab.write('file', '');
    await expect(openLedger(file)).rejects.toThrow(`--ledger: cannot make ${file}`);
    await expect(ledgerFiles(lab.at('nope'))).rejects.toThrow('--ledger: cannot read');
  });
});
