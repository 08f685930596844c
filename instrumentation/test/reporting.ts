/** A worker's requests, and the totals of a primary that it reports to. */
import { Registry } from '@prometheus-io/client';
import { createRequestDifferences } from '../src/cluster/request-differences.ts';
import type { RequestTotals } from '../src/cluster/request-totals.ts';
import type { RequestCounts } from '../src/recording/counts.ts';

export function reporting(totals: RequestTotals, counts: RequestCounts) {
  const refresh = () => undefined;
  const take = createRequestDifferences(
    { registry: new Registry(), counts, prefix: '', own: new Set(), refresh },
    0,
  );
  let joined: ReturnType<typeof totals.open> | undefined;
  return {
    counts,
    /** Sends a report as over IPC. */
    report() {
      const report = JSON.parse(JSON.stringify(take())) as ReturnType<typeof take>;
      if (report.definition) joined = totals.open(report.definition);
      joined?.add(report);
      return report;
    },
    end: () => joined?.end(),
  };
}
