/** What an instrumented application and its reporter have to do with each other. */
import type { AnyRegistry } from '../library.ts';
import type { RequestCounts } from '../recording/counts.ts';

/** What an instrumented application has to report. */
export interface Source {
  readonly registry: AnyRegistry;
  readonly counts: RequestCounts;
  readonly prefix: string;
  /** The metrics of `registry` that this package has registered. */
  readonly own: ReadonlySet<object>;
}

export interface Joined {
  /** @param done is called when all that was counted is on its way to an aggregate; never where there is none */
  handOver(done: () => void): void;
  /** Reports a last time. */
  leave(): void;
}
