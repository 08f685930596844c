/** A query result as a table, with one column per label. */
import type { QueryAnswer } from '../../verify/prometheus.ts';
import { formatTable } from './table.ts';

type Series = Extract<QueryAnswer, { resultType: 'vector' | 'matrix' }>;

/** @returns lines; none if the result is empty. The values of a range share one cell, the oldest first. */
export function formatAnswer(answer: QueryAnswer): string[] {
  if (answer.resultType === 'scalar' || answer.resultType === 'string') return [answer.result[1]];
  const series = seriesOf(answer);
  if (series.length === 0) return [];
  const columns = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].sort(byName);
  const rows = series.map(({ labels, value }) => [...columns.map((name) => labels[name] ?? ''), value]);
  const titles = [...columns.map((name) => (name === '__name__' ? 'metric' : name)), 'value'];
  return formatTable([titles, ...rows], (column) => column === titles.length - 1);
}

function seriesOf(answer: Series): { labels: Record<string, string>; value: string }[] {
  if (answer.resultType === 'vector')
    return answer.result.map(({ metric, value, histogram }) => ({
      labels: metric,
      value: value?.[1] ?? formatHistogram(histogram?.[1]),
    }));
  return answer.result.map(({ metric, values }) => ({
    labels: metric,
    value: values.map(([, value]) => value).join(' '),
  }));
}

/** A native histogram has too many buckets for a cell. */
function formatHistogram(histogram: { readonly count: number; readonly sum: number } | undefined): string {
  return histogram === undefined ? '' : `count ${histogram.count}, sum ${histogram.sum}`;
}

/** Sorts the metric's name first, then labels by name. */
function byName(a: string, b: string): number {
  if (a === '__name__' || b === '__name__') return a === '__name__' ? -1 : 1;
  return a < b ? -1 : 1;
}
