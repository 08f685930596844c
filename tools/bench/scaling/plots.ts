/** The curves of docs/scaling.md, drawn from the tables of `tools/bench/results/`: `npm run quote --workspace tools`. */
import { toSvg } from '../lib/plot.ts';
import type { Table } from '../lib/report.ts';

/** A row's value as a number; `(2.2)` is one, and 1.5 %. */
const number = (row: Table[number], column: string) => Number.parseFloat(row[column]?.replace('(', '') ?? '');

/** File name in docs/pictures, and drawing. */
export function plotsOf(footprint: Table, prometheus: Table): Record<string, string> {
  const own = footprint.filter(({ variant }) => variant === 'express-exact-metrics');
  const byRoutes = (name: string, column: string) => ({
    name,
    points: own.map((row) => [number(row, 'routes'), number(row, column)] as const),
  });
  const routes = [...new Set(prometheus.map((row) => row.routes))];
  const bySeries = (column: string) =>
    routes.map((count) => ({
      name: `${count} routes`,
      points: prometheus
        .filter((row) => row.routes === count)
        .map((row) => [number(row, 'series'), number(row, column)] as const)
        // The axes are logarithmic: what was too little to be measured has no place on them.
        .filter(([, value]) => value > 0),
    }));
  return {
    'scaling-process': toSvg({
      title: 'One instrumented process',
      x: 'routes',
      y: '',
      lines: [
        byRoutes('series', 'series'),
        byRoutes('scrape, kB', 'scrape, kB'),
        byRoutes('gzip, kB', 'gzip, kB'),
        byRoutes('scrape, ms', 'scrape, ms'),
      ],
    }),
    'scaling-memory': toSvg({
      title: "Prometheus' memory by the series of all replicas",
      x: 'series',
      y: 'resident memory, MB',
      lines: bySeries('Prometheus, MB'),
    }),
    'scaling-cpu': toSvg({
      title: "Prometheus' CPU time, a scrape every 5 s",
      x: 'series',
      y: 'per cent of one core',
      lines: bySeries('Prometheus, of one core'),
    }),
  };
}
