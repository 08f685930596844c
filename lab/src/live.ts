/** The learner's own Prometheus: instant queries at one moment. */
import { type Outcome, toNumber } from './promtool.ts';

interface Answer {
  status: string;
  error?: string;
  data?: { resultType: string; result: unknown };
}

export class Unreachable extends Error {
  override name = 'Unreachable';
}

/** @returns the outcomes of all queries at the same moment. @throws Unreachable, naming the address and the cause */
export type AskLive = (queries: readonly string[]) => Promise<Outcome[]>;

const TIMEOUT_MS = 10_000;

export function createAskLive(url: string, now: () => number): AskLive {
  return (queries) => {
    const time = String(now() / 1000);
    return Promise.all(queries.map((query) => ask(url, query, time)));
  };
}

async function ask(url: string, query: string, time: string): Promise<Outcome> {
  let answer: Answer;
  try {
    const body = new URLSearchParams({ query, time });
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    answer = (await (await fetch(`${url}/api/v1/query`, { method: 'POST', body, signal })).json()) as Answer;
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Unreachable(
      `Prometheus at ${url} does not answer: ${(cause as Error | undefined)?.message || message}`,
    );
  }
  if (answer.data === undefined) return { refused: answer.error ?? 'no reason given' };
  const { resultType, result } = answer.data;
  if (resultType === 'scalar')
    return { samples: [{ labels: {}, value: toNumber((result as [number, string])[1]) }] };
  if (resultType !== 'vector')
    return { refused: `its answer is a ${resultType}, and one value for each series is asked for` };
  const rows = result as { metric: Record<string, string>; value?: [number, string] }[];
  // A native histogram is a value of its own kind.
  return {
    samples: rows.map(({ metric, value }) => ({ labels: metric, value: toNumber(value?.[1] ?? 'NaN') })),
  };
}
