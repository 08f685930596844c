/** Two runs side by side: their numbers, and by how much they differ. */
import { formatMs, formatNumber } from '../../common/units.ts';
import { LATENCY_METRICS } from '../../load/histogram.ts';
import type { PhaseReport, Report } from '../report.ts';
import { verdictOf } from '../verdict.ts';
import { html, type Markup, table } from './markup.ts';

/** The n-th phase of both, where both have sent the same pattern. */
export function pairsOf(a: Report, b: Report): [number, PhaseReport, PhaseReport][] {
  return a.phases.flatMap((phase, n): [number, PhaseReport, PhaseReport][] => {
    const other = b.phases[n];
    return other?.pattern === phase.pattern ? [[n, phase, other]] : [];
  });
}

export function comparisonSection(a: Report, b: Report): Markup {
  const pairs = pairsOf(a, b);
  const word = (report: Report) => {
    const { kind } = verdictOf(report);
    return html`<b class="${kind}">${kind}</b>, ${report.startedAt}`;
  };
  return html`<section class="comparison"><h2>A and B</h2>
<dl><div><dt>A</dt><dd>${word(a)}</dd></div><div><dt>B</dt><dd>${word(b)}</dd></div></dl>
${pairs.length === 0 ? html`<p>They have no pattern in common at the same place, so there is nothing to compare.</p>` : undefined}
${pairs.map(
  ([n, one, other]) => html`<h3>${one.pattern}</h3>
${table(
  [{ name: '' }, ...['A', 'B', 'B to A'].map((name) => ({ name, isNumber: true }))],
  rowsOf(one, other).map((cells) => ({ cells })),
)}
<div class="pair">${(['latency', 'serviceTime'] as const).map(
    (kind) =>
      html`<figure><figcaption><b>${kind === 'latency' ? 'Latency' : 'Service time'}</b> <span>A and B, distribution</span></figcaption><div class="chart" data-compare="${n}" data-kind="${kind}"></div></figure>`,
  )}</div>`,
)}</section>`;
}

function rowsOf(a: PhaseReport, b: PhaseReport): string[][] {
  const row = (name: string, of: (phase: PhaseReport) => number, format: (value: number) => string) => [
    name,
    format(of(a)),
    format(of(b)),
    formatChange(of(a), of(b)),
  ];
  return [
    row('sent', ({ sent }) => sent, formatNumber),
    row('rate per second', ({ achievedPerSecond }) => achievedPerSecond, formatNumber),
    row('errors', ({ errors }) => errors, formatNumber),
    row('dropped', ({ dropped }) => dropped, formatNumber),
    ...LATENCY_METRICS.map((at) =>
      row(`latency ${at}`, ({ latencyMs }) => latencyMs?.[at] ?? Number.NaN, formatMs),
    ),
    ...LATENCY_METRICS.map((at) =>
      row(`service ${at}`, ({ serviceTimeMs }) => serviceTimeMs?.[at] ?? Number.NaN, formatMs),
    ),
  ];
}

function formatChange(a: number, b: number): string {
  if (a === b) return 'same';
  if (!Number.isFinite(a) || !Number.isFinite(b) || a === 0) return '-';
  const percent = (100 * (b - a)) / a;
  return `${percent > 0 ? '+' : ''}${percent.toFixed(Math.abs(percent) < 10 ? 1 : 0)}%`;
}
