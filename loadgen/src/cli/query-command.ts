/** `loadgen query`: asks Prometheus as a user does, and prints the answer as a table. */
import { EXIT } from '../common/errors.ts';
import { formatAnswer } from '../report/text/query-table.ts';
import { type AccessFlags, connectPrometheus } from '../run/connect-prometheus.ts';
import type { Io } from './io.ts';

export interface QueryFlags extends AccessFlags {
  readonly prometheus: string;
}

/** @returns the exit code. @throws UsageError for a query that Prometheus refuses */
export async function queryCommand(expression: string, flags: QueryFlags, io: Io): Promise<number> {
  const prometheus = await connectPrometheus(flags.prometheus, flags, io.env ?? {}, 0);
  const answer = await prometheus.ask(expression, { signal: io.signal });
  const table = formatAnswer(answer);
  if (table.length > 0) io.stdout.write(`${table.join('\n')}\n`);
  else io.stderr.write('Nothing matches: no series has these names and labels now.\n');
  return EXIT.ok;
}
