/**
 * What the generator knows that it did: per series of the API, how many requests were answered with which status, and
 * how many have a fate that cannot be known from here. The proof compares it with Prometheus.
 */

/** The labels under which the API counts a target. */
export interface SeriesLabels {
  readonly path: string;
  readonly method: string;
}

export interface LedgerEntry {
  /** Null for targets that declare no series: these are only in the totals. */
  readonly series: SeriesLabels | null;
  /** Complete answers by status. Each was counted exactly once, or the API is wrong. */
  readonly answered: Readonly<Record<string, number>>;
  /** Requests that left and got no complete answer: the API has counted each once or not at all, with any code. */
  readonly unknown: number;
  /** Requests that never left (refused, no route, TLS): the API cannot have counted them. */
  readonly notSent: number;
}

export type Ledger = readonly LedgerEntry[];

interface Line {
  readonly series: SeriesLabels | null;
  readonly answered: Map<number, number>;
  unknown: number;
  notSent: number;
}

/** Keeps the ledger of a list of targets, which it knows by their index. Targets with the same series share a line. */
export class LedgerKeeper {
  readonly #byTarget: Line[];

  constructor(targets: readonly { readonly series?: SeriesLabels | undefined }[]) {
    const bySeries = new Map<string, Line>();
    this.#byTarget = targets.map(({ series }) => {
      const key = keyOf(series ?? null);
      const line = bySeries.get(key) ?? {
        series: series ?? null,
        answered: new Map(),
        unknown: 0,
        notSent: 0,
      };
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

  toLedger(): LedgerEntry[] {
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

/** One ledger that says what all of them say. */
export function sumLedgers(ledgers: readonly Ledger[]): LedgerEntry[] {
  const sum = new Map<
    string,
    { series: SeriesLabels | null; answered: Record<string, number>; unknown: number; notSent: number }
  >();
  for (const entry of ledgers.flat()) {
    const key = keyOf(entry.series);
    const into = sum.get(key) ?? { series: entry.series, answered: {}, unknown: 0, notSent: 0 };
    for (const [status, count] of Object.entries(entry.answered))
      into.answered[status] = (into.answered[status] ?? 0) + count;
    into.unknown += entry.unknown;
    into.notSent += entry.notSent;
    sum.set(key, into);
  }
  return [...sum.values()];
}

/** How many requests the API must have counted, and how many it may have counted besides. */
export function ledgerTotals(ledger: Ledger): { answered: number; unknown: number } {
  const answered = ledger.reduce(
    (sum, entry) => sum + Object.values(entry.answered).reduce((a, b) => a + b, 0),
    0,
  );
  return { answered, unknown: ledger.reduce((sum, entry) => sum + entry.unknown, 0) };
}

function keyOf(series: SeriesLabels | null): string {
  return series === null ? '' : JSON.stringify([series.path, series.method]);
}
