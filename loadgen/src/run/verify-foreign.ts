/** `verify --sent`: compares the result of another generator with the counters in Prometheus at that time. */
import { CheckError, UsageError } from '../common/errors.ts';
import { readJson } from '../common/files.ts';
import type { MetricsChoice } from '../common/metrics.ts';
import { type BaselineOptions, resolveMetrics } from '../verify/baseline.ts';
import {
  type ForeignResult,
  parseForeignResult,
  toExpectedCount,
  totalsOnly,
} from '../verify/foreign-result.ts';
import { readSnapshotAfter, readSnapshotAt } from '../verify/snapshot.ts';
import { standingOf, type Verification, verify } from '../verify/verification.ts';

/** The times of the run, if the result does not contain them; in ms since 1970. */
export interface SentBetween {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** The service may count requests this long after the run. */
const SETTLE_SECONDS = 20;

type TimedResult = ForeignResult & { readonly startSeconds: number; readonly endSeconds: number };

/** @throws UsageError for other files, and for a result without times if the user gives none */
export async function readForeignResult(file: string, { from, to }: SentBetween): Promise<TimedResult> {
  const json = await readJson(file).catch((error: unknown) => {
    // The file is not JSON, so it cannot be a result.
    if (error instanceof CheckError) return undefined;
    throw error;
  });
  const result = parseForeignResult(json);
  if (result === undefined)
    throw new UsageError(
      `--sent: expected the JSON of k6 (--summary-export), vegeta (report -type=json) or autocannon (--json), got something else in ${file}`,
    );
  const startSeconds = from === undefined ? result.startSeconds : from / 1000;
  const endSeconds = to === undefined ? result.endSeconds : to / 1000;
  if (startSeconds === undefined || endSeconds === undefined)
    throw new UsageError(
      `--sent: the result of ${result.tool} has no times; expected --from <time> and --to <time>`,
    );
  if (startSeconds >= endSeconds)
    throw new UsageError('--from, --to: expected --from before --to, got a later time');
  return { ...result, startSeconds, endSeconds };
}

export async function verifyForeign(
  result: TimedResult,
  choice: MetricsChoice,
  options: BaselineOptions,
): Promise<Verification> {
  const metrics = totalsOnly(await resolveMetrics(choice, options), result);
  if (metrics.counters.length === 0)
    throw new UsageError('--metrics: expected a counter of all requests, since the result has only totals');
  const reading = { ...options, metrics };
  const before = await readSnapshotAt(reading, result.startSeconds);
  let late = 0;
  let verification: Verification;
  do {
    const after = await readSnapshotAfter(reading, result.endSeconds + late);
    const scrapedAt = after.instances.map(({ scrapedAtSeconds }) => scrapedAtSeconds);
    late = Math.max(0, ...scrapedAt) - result.endSeconds;
    verification = verify(before, after, [toExpectedCount(result)], metrics);
    // A service may count a request after its response.
  } while (standingOf(verification, metrics) === 'missing' && late < SETTLE_SECONDS);
  const notes = [
    ...(result.note === '' ? [] : [result.note]),
    `compared up to ${late.toFixed(1)} s after the run, by the clocks of the generator and of Prometheus: includes requests of other clients until then`,
  ];
  return { ...verification, notes: [...verification.notes, ...notes] };
}
