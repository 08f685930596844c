/** Two runs side by side: their numbers and the differences. */
import { formatMs, formatNumber } from '../../common/units.ts';
import { LATENCY_METRICS } from '../../load/histogram.ts';
import type { PhaseReport, Report } from '../report.ts';
import { verdictOf } from '../verdict.ts';
import { comparisonChart } from './charts.ts';
import { html, type Markup, type Row, table } from './markup.ts';
import { figure } from './sections.ts';

export function comparisonSection(a: Report, b: Report): Markup {
  const word = (report: Report) => {
    const { kind } = verdictOf(report);
    return html`<b class="${kind}">${kind}</b>, ${report.startedAt}`;
  };
  const pairs = a.phases.flatMap((one, n) => {
    const other = b.phases[n];
    return other?.pattern === one.pattern ? [pairSection(one, other)] : [];
  });
  return html`<section class="comparison"><h2>A and B</h2>
<dl><div><dt>A</dt><dd>${word(a)}</dd></div><div><dt>B</dt><dd>${word(b)}</dd></div></dl>
${pairs.length === 0 ? html`<p>The two runs have no pattern at the same position, so there is nothing to compare.</p>` : pairs}</section>`;
}

function pairSection(a: PhaseReport, b: PhaseReport): Markup {
  const explanation = 'distributions of A and B';
  return html`<h3>${a.pattern}</h3>
${table(['', 'A', 'B', 'B vs. A'], rowsOf(a, b))}
<div class="pair">${figure('Latency', explanation, comparisonChart(a, b, 'latency'))}${figure('Service time', explanation, comparisonChart(a, b, 'serviceTime'))}</div>`;
}

function rowsOf(a: PhaseReport, b: PhaseReport): Row[] {
  const row = (name: string, of: (phase: PhaseReport) => number, format: (value: number) => string) => ({
    cells: [name, format(of(a)), format(of(b)), formatChange(of(a), of(b))],
  });
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
