/**
 * The counts of a phase by target. Targets that the server counts under the same series share a line, which can then be compared
 * with the server's own metrics. In the report of a pattern with very many targets, one line covers the remaining ones.
 */
import type { ExpectedCount } from '../common/expected-counts.ts';
import type { RouteLabels } from '../common/route-labels.ts';
import { sumOf, sumRecords } from '../common/sums.ts';
import { createHistogram, encodeHistogram, type Histogram, record, toDistribution } from './histogram.ts';
import type { TargetLine } from './numbers.ts';

export interface NamedTarget {
  readonly method: string;
  readonly path: string;
  readonly expect?: number | undefined;
  readonly series?: RouteLabels | undefined;
}

/** Limited, because each line has a histogram of about 10 kB. */
const MOST_LINES = 100;

interface Line {
  readonly names: Set<string>;
  readonly series: RouteLabels | null;
  readonly method: string;
  readonly path: string;
  readonly statuses: Map<number, number>;
  readonly serviceTime: Histogram;
  answered: number;
  unexpected: number;
  unknown: number;
  notSent: number;
  dropped: number;
}

export class TargetCounts {
  readonly #byTarget: Line[];
  readonly #expected: (number | undefined)[];
  readonly #lines: readonly Line[];

  constructor(targets: readonly NamedTarget[]) {
    const lines = new Map<string, Line>();
    const ofOthers = createHistogram(2);
    this.#expected = targets.map(({ expect }) => expect);
    this.#byTarget = targets.map(({ method, path, series = null }) => {
      const name = `${method} ${path}`;
      const key = series === null ? name : JSON.stringify([method, series.route, series.method]);
      const line = lines.get(key) ?? {
        ...{ names: new Set<string>(), series, method, path, statuses: new Map<number, number>() },
        serviceTime: lines.size < MOST_LINES ? createHistogram(2) : ofOthers,
        ...{ answered: 0, unexpected: 0, unknown: 0, notSent: 0, dropped: 0 },
      };
      lines.set(key, line);
      line.names.add(name);
      return line;
    });
    this.#lines = [...lines.values()];
  }

  /** @returns whether the status is the one that the target expects (by default any below 400) */
  answered(target: number, status: number, serviceTimeMs: number): boolean {
    const line = this.of(target);
    const expected = this.#expected[target];
    const isExpected = expected === undefined ? status < 400 : status === expected;
    line.answered++;
    if (!isExpected) line.unexpected++;
    line.statuses.set(status, (line.statuses.get(status) ?? 0) + 1);
    record(line.serviceTime, serviceTimeMs);
    return isExpected;
  }

  totals() {
    const counts = countsOf(this.#lines);
    const unsent = sumOf(this.#lines, ({ notSent }) => notSent);
    return { ...counts, unsent, sent: counts.answered + counts.unanswered - unsent };
  }

  bySeries(): ExpectedCount[] {
    return this.#lines.map(({ series, method, path, statuses, unknown, notSent }) => ({
      route: series?.route ?? null,
      method: series?.method ?? method,
      path: path.replace(/\?.*/s, ''),
      answered: Object.fromEntries(statuses),
      unknown,
      notSent,
    }));
  }

  toReport(): TargetLine[] {
    const single = this.#lines
      .slice(0, MOST_LINES)
      .map((line) => toTargetLine(nameOf(line), line.series, [line]));
    const others = this.#lines.slice(MOST_LINES);
    return others.length === 0 ? single : [...single, toTargetLine('all others', null, others)];
  }

  /** The counts of a target, shared with other targets of the same series. */
  of(target: number): Line {
    const line = this.#byTarget[target];
    if (line === undefined) throw new RangeError(`no target ${target}`);
    return line;
  }
}

/** @param lines lines that share one histogram */
function toTargetLine(name: string, series: RouteLabels | null, lines: readonly Line[]): TargetLine {
  const serviceTime = lines[0]?.serviceTime ?? createHistogram(2);
  const statuses = sumRecords(lines.map((line) => Object.fromEntries(line.statuses)));
  const durations = { serviceTimeMs: toDistribution(serviceTime), serviceTime: encodeHistogram(serviceTime) };
  return { name, series, ...countsOf(lines), statuses, ...durations };
}

function countsOf(lines: readonly Line[]) {
  const unanswered = sumOf(lines, ({ unknown, notSent }) => unknown + notSent);
  return {
    answered: sumOf(lines, ({ answered }) => answered),
    errors: sumOf(lines, ({ unexpected }) => unexpected) + unanswered,
    unanswered,
    dropped: sumOf(lines, ({ dropped }) => dropped),
  };
}

/** `GET /cart`, or if there are several paths `GET /missing/1 and 32 more`. */
function nameOf({ names }: Line): string {
  const [first = ''] = names;
  return names.size === 1 ? first : `${first} and ${names.size - 1} more`;
}
