/**
 * The numbers of a phase by target. Targets that the server counts under the same series share a line, so that it can be
 * compared with what the server itself has measured; a pattern with very many has one line for the rest.
 */
import type { RouteLabels } from '../common/route-labels.ts';
import { createHistogram, encodeHistogram, type Histogram, record, toDistribution } from './histogram.ts';
import type { TargetLine } from './numbers.ts';

/** What this needs to know of a target. */
export interface NamedTarget {
  readonly method: string;
  readonly path: string;
  readonly expect?: number | undefined;
  readonly series?: RouteLabels | undefined;
}

/** Each line has a histogram of some 10 kB. */
const MOST_LINES = 100;
const OTHERS = 'all others';

interface Line {
  readonly names: Set<string>;
  readonly series: RouteLabels | null;
  readonly statuses: Map<number, number>;
  readonly serviceTime: Histogram;
  unexpected: number;
  unanswered: number;
  dropped: number;
}

export class TargetLines {
  readonly #byTarget: Line[];
  readonly #expected: (number | undefined)[];
  readonly #others: Line = createLine(null);

  constructor(targets: readonly NamedTarget[]) {
    const lines = new Map<string, Line>();
    this.#expected = targets.map(({ expect }) => expect);
    this.#byTarget = targets.map(({ method, path, series = null }) => {
      const name = `${method} ${path}`;
      const key = series === null ? name : JSON.stringify([method, series.path, series.method]);
      const line = lines.get(key) ?? (lines.size < MOST_LINES ? createLine(series) : this.#others);
      lines.set(key, line);
      line.names.add(name);
      return line;
    });
  }

  /** @returns whether the status is the expected one: that of the target, else anything below 400 */
  answered(target: number, status: number, serviceTimeMs: number): boolean {
    const line = this.#line(target);
    const expected = this.#expected[target];
    const isExpected = expected === undefined ? status < 400 : status === expected;
    if (!isExpected) line.unexpected++;
    line.statuses.set(status, (line.statuses.get(status) ?? 0) + 1);
    record(line.serviceTime, serviceTimeMs);
    return isExpected;
  }

  unanswered(target: number): void {
    this.#line(target).unanswered++;
  }

  dropped(target: number): void {
    this.#line(target).dropped++;
  }

  toReport(): TargetLine[] {
    return [...new Set(this.#byTarget)].map((line) => ({
      name: line === this.#others ? OTHERS : nameOf(line),
      series: line.series,
      answered: [...line.statuses.values()].reduce((a, b) => a + b, 0),
      errors: line.unexpected + line.unanswered,
      unanswered: line.unanswered,
      dropped: line.dropped,
      statuses: Object.fromEntries([...line.statuses].sort(([a], [b]) => a - b)),
      serviceTimeMs: toDistribution(line.serviceTime),
      serviceTime: encodeHistogram(line.serviceTime),
    }));
  }

  #line(target: number): Line {
    const line = this.#byTarget[target];
    if (line === undefined) throw new RangeError(`no target ${target}`);
    return line;
  }
}

/** `GET /cart`; of several paths, as many as a person can take in: `GET /missing/1 and 32 more`. */
function nameOf({ names }: Line): string {
  const [first = ''] = names;
  return names.size === 1 ? first : `${first} and ${names.size - 1} more`;
}

function createLine(series: RouteLabels | null): Line {
  return {
    names: new Set(),
    series,
    statuses: new Map(),
    serviceTime: createHistogram(2),
    unexpected: 0,
    unanswered: 0,
    dropped: 0,
  };
}
