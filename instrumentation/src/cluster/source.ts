/** The interface between an instrumented application and its reporter. */
import type { AnyRegistry } from '../library.ts';
import type { RequestCounts } from '../recording/counts.ts';

/** An instrumented application, as its reporter uses it. */
export interface Source {
  readonly registry: AnyRegistry;
  readonly counts: RequestCounts;
  readonly prefix: string;
  /** The metrics that this package has registered in `registry`. */
  readonly own: ReadonlySet<object>;
  /** Discovers the routes that exist now. */
  refresh(): void;
}

export interface Joined {
  /** @param done called when all counts have been sent to an aggregate; never called without an aggregate */
  handOver(done: () => void): void;
  /** Sends the last report. */
  leave(): void;
}
