/**
 * The expectedCounts of a run: what the generator knows that it did. Per series of the API, how many requests were answered with
 * which status, and how many have a fate that cannot be known from here. The verification compares it with Prometheus.
 */
import { z } from 'zod';
import { type RouteLabels, routeLabelsSchema } from '../common/route-labels.ts';

const count = z.int().min(0);

const entrySchema = z.strictObject({
  series: routeLabelsSchema.nullable().meta({
    description: 'Null for targets that declare no series: these are only in the totals.',
  }),
  answered: z.record(z.string().regex(/^\d{3}$/), count).meta({
    description: 'Complete answers by status. Each was counted exactly once, or the API is wrong.',
  }),
  unknown: count.meta({
    description: 'Sent, no complete answer: counted once or not at all, with any code.',
  }),
  notSent: count.meta({ description: 'Never left this machine: cannot have been counted.' }),
});
export const expectedCountsSchema = z.array(entrySchema);

export type ExpectedCount = z.output<typeof entrySchema>;
export type ExpectedCounts = readonly ExpectedCount[];

interface Line {
  readonly series: RouteLabels | null;
  readonly answered: Map<number, number>;
  unknown: number;
  notSent: number;
}

/** Keeps the expectedCounts of a list of targets, which it knows by their index. Targets with the same series share a line. */
export class ExpectedCountsKeeper {
  readonly #byTarget: Line[];

  constructor(targets: readonly { readonly series?: RouteLabels | undefined }[]) {
    const bySeries = new Map<string, Line>();
    this.#byTarget = targets.map(({ series = null }) => {
      const key = keyOf(series);
      const line = bySeries.get(key) ?? { series, answered: new Map(), unknown: 0, notSent: 0 };
      bySeries.set(key, line);
      return line;
    });
  }

  answered(target: number, status: number): void {
    const { answered } = this.#line(target);
    answered.set(status, (answered.get(status) ?? 0) + 1);
  }

  unanswered(target: number, wasSent: boolean): void {
    if (wasSent) this.#line(target).unknown++;
    else this.#line(target).notSent++;
  }

  toExpectedCounts(): ExpectedCount[] {
    return [...new Set(this.#byTarget)].map((line) => ({
      ...line,
      answered: Object.fromEntries(line.answered),
    }));
  }

  #line(target: number): Line {
    const line = this.#byTarget[target];
    if (line === undefined) throw new RangeError(`no target ${target}`);
    return line;
  }
}

/** One expectedCounts that says what all of them say. */
export function sumExpectedCounts(expectedCounts: readonly ExpectedCounts[]): ExpectedCount[] {
  const sum = new Map<string, ExpectedCount>();
  for (const { series, answered, unknown, notSent } of expectedCounts.flat()) {
    const key = keyOf(series);
    const into = sum.get(key) ?? { series, answered: {}, unknown: 0, notSent: 0 };
    for (const [status, more] of Object.entries(answered))
      into.answered[status] = (into.answered[status] ?? 0) + more;
    into.unknown += unknown;
    into.notSent += notSent;
    sum.set(key, into);
  }
  return [...sum.values()];
}

/** How many requests the API must have counted, and how many it may have counted besides. */
export function totalsOf(expectedCounts: ExpectedCounts): { answered: number; unknown: number } {
  const answered = expectedCounts.reduce(
    (sum, entry) => sum + Object.values(entry.answered).reduce((a, b) => a + b, 0),
    0,
  );
  return { answered, unknown: expectedCounts.reduce((sum, entry) => sum + entry.unknown, 0) };
}

function keyOf(series: RouteLabels | null): string {
  return series === null ? '' : JSON.stringify([series.path, series.method]);
}
