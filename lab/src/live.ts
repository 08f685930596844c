/** Sends instant queries to the learner's Prometheus, all for the same time. */
import { type Prometheus, RefusedQueryError, toNumber } from 'exact-load/prometheus';
import type { Outcome } from './promtool.ts';

/** @returns the outcomes of all queries, for the same time. @throws UnreachableError, with the address and the cause */
export type AskLive = (queries: readonly string[]) => Promise<Outcome[]>;

type Asker = Pick<Prometheus, 'ask'>;

export function createAskLive(prometheus: Asker, now: () => number): AskLive {
  return (queries) => {
    const atSeconds = now() / 1000;
    return Promise.all(queries.map((query) => ask(prometheus, query, atSeconds)));
  };
}

async function ask(prometheus: Asker, query: string, atSeconds: number): Promise<Outcome> {
  try {
    const { resultType, result } = await prometheus.ask(query, { atSeconds });
    if (resultType === 'scalar') return { samples: [{ labels: {}, value: toNumber(result[1]) }] };
    if (resultType !== 'vector') {
      const got = resultType === 'matrix' ? 'several: apply rate() or a similar function' : `a ${resultType}`;
      return { refused: `expected one value per series, got ${got}` };
    }
    // A native histogram has no value.
    return { samples: result.map(({ metric, value }) => ({ labels: metric, value: toNumber(value?.[1]) })) };
  } catch (error) {
    if (error instanceof RefusedQueryError) return { refused: error.reason };
    throw error;
  }
}
