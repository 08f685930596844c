/** The plot of a soak, from its table: `npm run quote --workspace tools` draws it into docs/pictures. */
import { toSvg } from '../lib/plot.ts';
import type { Table } from '../lib/report.ts';

/** The columns of the table, in the order in which they are shown. */
export const SOAK_COLUMNS = [
  'resident, MB',
  'heap, MB',
  'file descriptors',
  'active resources',
  'series',
  'late, ms in a second',
] as const;

export function soakPlot(table: Table): string {
  return toSvg({
    title: 'The API under mixed, malformed and aborted requests',
    x: 'minutes',
    y: '',
    isLinearX: true,
    lines: SOAK_COLUMNS.map((name) => ({
      name,
      points: table
        .map((row) => [Number(row.minute), Number(row[name])] as const)
        // The axis is logarithmic: what was too little to be measured has no place on it.
        .filter(([, value]) => value > 0),
    })),
  });
}
