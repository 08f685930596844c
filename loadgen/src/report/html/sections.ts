/** The sections of the page about one run, from its verdict to the command line. */
import { listFailures } from '../../common/result.ts';
import { formatBytes, formatCount, formatMs, formatNumber } from '../../common/units.ts';
import { type Distribution, LATENCY_METRICS, type LatencyMetric } from '../../load/histogram.ts';
import { formatNumbers, NUMBER_HEADERS } from '../../verify/description.ts';
import { formatSeries } from '../../verify/series.ts';
import { type Latency, latencyCells } from '../latency.ts';
import type { PhaseReport, Report } from '../report.ts';
import { verdictOf } from '../verdict.ts';
import { distributionChart, durationCharts, ratesChart } from './charts.ts';
import { html, type Markup, table } from './markup.ts';
import { type Chart, drawChart } from './svg.ts';

const WORDS = { passed: 'Passed', failed: 'Failed', open: 'Incomplete' } as const;

export function verdictSection(report: Report): Markup {
  const { kind, reasons } = verdictOf(report);
  return html`<section class="verdict ${kind}">
<p class="word">${WORDS[kind]}</p>
<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>
</section>`;
}

/** @param shards the number of shards of the run */
export function phaseSection(phase: PhaseReport, shards: number): Markup {
  const { latency, serviceTime } = durationCharts(phase);
  return html`<section class="phase">
<h2>${phase.pattern}</h2>
<dl class="facts">${factsOf(phase).map(([name, value, mark]) => html`<div class="${mark ?? ''}"><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${figure('Requests per second', 'planned, sent, answered, errors, dropped', ratesChart(phase, shards))}
<div class="pair">
${figure('Latency', 'from the time at which a request was due: what a user would have experienced', latency)}
${figure('Service time', 'from the time at which a request was sent: what the server took', serviceTime)}
</div>
${figure('Distribution', 'by percentile; where latency is above service time, requests had to wait before they were sent', distributionChart(phase))}
${durationTable(phase)}
<h3>By target</h3>${targetTable(phase)}
<h3>By status</h3>${statusTable(phase)}
${slowestTable(phase)}
</section>`;
}

function factsOf(phase: PhaseReport): [name: string, value: string, mark?: string][] {
  const bad = (count: number) => (count > 0 ? 'bad' : '');
  return [
    ['sent', formatNumber(phase.sent)],
    ['answered', formatNumber(phase.answered)],
    ['errors', formatNumber(phase.errors), bad(phase.errors)],
    ['dropped', formatNumber(phase.dropped), bad(phase.dropped)],
    ...(phase.rerouted > 0 ? [['rerouted', formatNumber(phase.rerouted)] as [string, string]] : []),
    ['rate', `${formatNumber(phase.achievedPerSecond)}/s`],
    ['duration', formatMs(phase.durationSeconds * 1000)],
    ['read', formatBytes(phase.bytesRead)],
    ['written', formatBytes(phase.bytesWritten)],
  ];
}

export function figure(title: string, explanation: string, chart: Chart): Markup {
  const isEmpty = chart.lines.every(({ values }) => values.every((value) => value === null));
  return html`<figure><figcaption><b>${title}</b> <span>${explanation}</span></figcaption>${isEmpty ? 'no data' : drawChart(chart)}</figure>`;
}

const TARGET_DURATIONS = ['p50', 'p90', 'p99', 'max'] as const;

function durationCells(distribution: Distribution | null, metrics: readonly LatencyMetric[]): string[] {
  return metrics.map((metric) => formatMs(distribution?.[metric]));
}

function durationTable({ latencyMs, serviceTimeMs, latenessMs }: PhaseReport): Markup {
  const rows = Object.entries({ latency: latencyMs, 'service time': serviceTimeMs, lateness: latenessMs });
  return table(
    ['', ...LATENCY_METRICS],
    rows.map(([name, distribution]) => ({ cells: [name, ...durationCells(distribution, LATENCY_METRICS)] })),
  );
}

function targetTable({ byTarget }: PhaseReport): Markup {
  const counts = ['answered', 'errors', 'dropped'] as const;
  return table(
    ['target', ...counts, 'statuses', ...TARGET_DURATIONS.map((metric) => `service ${metric}`)],
    byTarget.map((line) => ({
      cells: [
        line.name,
        ...counts.map((name) => formatNumber(line[name])),
        Object.keys(line.statuses).join(', '),
        ...durationCells(line.serviceTimeMs, TARGET_DURATIONS),
      ],
      mark: line.errors > 0 ? 'bad' : undefined,
    })),
  );
}

function statusTable({ statuses, failures, sent, unsent }: PhaseReport): Markup {
  const row = (name: string, count: number, mark?: string) => {
    const share = Number(((100 * count) / Math.max(1, sent + unsent)).toPrecision(3));
    return { cells: [name, formatNumber(count), `${share}%`], mark };
  };
  return table(
    ['outcome', 'requests', 'share'],
    [
      ...Object.entries(statuses).map(([status, count]) => row(status, count)),
      ...listFailures(failures).map(({ kind, count, meaning }) => row(`${kind}: ${meaning}`, count, 'bad')),
    ],
  );
}

function slowestTable({ slowest }: PhaseReport): Markup | undefined {
  if (slowest.length === 0) return undefined;
  const rows = slowest.map(({ traceId, target, endedWith, latencyMs, serviceTimeMs }) => ({
    cells: [target, endedWith, formatMs(serviceTimeMs), formatMs(latencyMs), traceId],
  }));
  return html`<h3>Slowest</h3>${table(['target', 'ended with', 'service time', 'latency', 'trace id'], rows)}`;
}

/** Omits the verdict, which is at the top of the page. */
export function verificationSection({ verification }: Report): Markup | undefined {
  if (verification === null || verification.rows.length === 0) return undefined;
  const rows = verification.rows.map((row) => ({
    cells: [formatSeries(row), ...formatNumbers(row)],
    mark: row.difference === 0 ? undefined : 'bad',
  }));
  return html`<section class="verification"><h2>Verification</h2>
${table(['series', ...NUMBER_HEADERS], rows)}</section>`;
}

export function latencySection(latency: Latency | null): Markup | undefined {
  if (latency === null) return undefined;
  const rows = latencyCells(latency).map((cells) => ({ cells }));
  return html`<section class="latency"><h2>Service time in Prometheus</h2>
${table(['', 'generator', 'Prometheus'], rows)}</section>`;
}

export function planSection(report: Report): Markup {
  const { environment, shard } = report;
  const facts: [string, string][] = [
    ['command', ['exact-load', ...environment.arguments.map(quote)].join(' ')],
    ['target', report.target],
    ['Prometheus', report.prometheus ?? 'none'],
    ['started', report.startedAt],
    ['ended', report.endedAt ?? '-'],
    ['seed', String(report.seed)],
    ['shard', `${shard.index} of ${shard.of}`],
    ['machine', `${environment.processors}, ${environment.system}, Node ${environment.node}`],
    ['run', report.id],
  ];
  return html`<section class="plan"><h2>Plan and environment</h2>
<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${name === 'command' ? html`<code>${value}</code>` : value}</dd></div>`)}</dl>
${report.phases.map(planOf)}</section>`;
}

/** Omits the targets, which are in the table above and in the report's JSON. */
function planOf({ pattern, plan }: PhaseReport): Markup {
  const bound = plan.requests === null ? '' : `, ${formatCount(plan.requests, 'request')}`;
  const length = plan.durationSeconds === null ? '' : `, ${formatMs(plan.durationSeconds * 1000)}`;
  const stages = plan.stages.map(({ durationSeconds, fromPerSecond, toPerSecond }) => {
    const rate = fromPerSecond === toPerSecond ? fromPerSecond : `${fromPerSecond} to ${toPerSecond}`;
    return `${formatMs(durationSeconds * 1000)} at ${rate}/s`;
  });
  return html`<h3>${pattern}: ${plan.schedule}${bound}${length}, ${formatCount(plan.connections, 'connection')}, timeout ${formatMs(plan.timeoutSeconds * 1000)}</h3>
${stages.length > 0 ? html`<p>${stages.join(', then ')}</p>` : undefined}`;
}

/** Quotes a word for a shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
