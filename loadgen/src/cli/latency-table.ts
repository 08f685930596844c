/** The latency of a run, as the generator and as Prometheus have it. */
import { formatMs } from '../common/units.ts';
import type { Latency } from '../report/latency.ts';
import type { Paint } from './paint.ts';

/** @returns lines */
export function formatLatency(rows: Latency, paint: Paint): string[] {
  const line = (...cells: readonly string[]) =>
    cells.map((cell, n) => (n === 0 ? cell.padEnd(12) : cell.padStart(12))).join('');
  return [
    paint('bold', line('service time', 'generator', 'prometheus')),
    ...rows.map(({ quantile, measuredMs, prometheusMs }) =>
      line(`p${quantile * 100}`, formatMs(measuredMs ?? Number.NaN), formatMs(prometheusMs ?? Number.NaN)),
    ),
  ];
}
