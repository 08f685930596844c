/** The part of the page that sets the latency that Prometheus tells beside the one that was measured. */
import { formatMs, formatRange } from '../../common/units.ts';
import type { Latency, LatencyRow } from '../latency-schema.ts';
import { html, type Markup, table } from './markup.ts';

export function latencySection(latency: Latency | null): Markup | undefined {
  if (latency === null) return undefined;
  const { kind, rows, notes } = latency;
  const columns = [
    { name: 'service time' },
    ...['generator', 'Prometheus', 'difference', 'explained'].map((name) => ({ name, isNumber: true })),
  ];
  const source =
    kind === 'native'
      ? 'from native histograms, right up to the width of their narrow buckets'
      : 'from classic buckets, which tell a range and no value';
  const isJudged = rows.some(({ ok }) => ok !== null);
  return html`<section class="latency"><h2>Latency in Prometheus</h2>
<p>As the generator measured it, and as Prometheus tells it, ${source}. <i>Explained</i> is where the generator's time must lie: network, queues and how late the machine was put the two that far apart.</p>
${rows.length > 0 && !isJudged ? html`<p>Not judged: requests that go as fast as they can mostly wait for each other.</p>` : undefined}
${notes.map((note) => html`<p>Not compared: ${note}.</p>`)}
${rows.length > 0 ? table(columns, rows.map(toCells)) : undefined}
</section>`;
}

function toCells(row: LatencyRow) {
  const { method, path, quantile, measuredMs, prometheusMs, bucketMs, explainedMs, ok } = row;
  const difference = prometheusMs === null ? '' : `${(100 * (prometheusMs / measuredMs - 1)).toFixed(1)} %`;
  return {
    cells: [
      `p${quantile * 100} of ${method} ${path}`,
      formatMs(measuredMs),
      prometheusMs === null ? formatRange(bucketMs) : formatMs(prometheusMs),
      difference,
      formatRange(explainedMs),
    ],
    mark: ok === false ? 'bad' : undefined,
  };
}
