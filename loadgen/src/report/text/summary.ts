/** The summary of a run for users, in at most 80 columns. */
import { styleText } from 'node:util';
import { listFailures } from '../../common/result.ts';
import { formatBytes, formatCount, formatMs, formatNumber } from '../../common/units.ts';
import type { Distribution } from '../../load/histogram.ts';
import type { SlowRequest } from '../../load/slowest.ts';
import { describeLost } from '../combine.ts';
import { type Latency, latencyCells } from '../latency.ts';
import type { PhaseReport, ProbeResult, Report } from '../report.ts';
import { describeProbe, hasPassed, whyOpen } from '../verdict.ts';
import { formatTable } from './table.ts';
import { formatVerification } from './verification-table.ts';

const MOST_COLUMNS = 80;

export function formatReport(report: Report): string {
  const { phases, verification, probes = [], latency } = report;
  const blocks = [
    ...phases.map((phase) => formatPhase(phase)),
    formatEnd(report),
    ...(verification === null ? [] : [formatVerification(verification)]),
    probes.length === 0 ? [] : [styleText('bold', 'probes'), ...probes.flatMap(formatProbe)],
    ...(latency === null ? [] : [formatLatency(latency)]),
  ];
  const shown = blocks.filter((lines) => lines.length > 0);
  return `${shown.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function formatProbe(probe: ProbeResult): string[] {
  const [first = '', ...details] = describeProbe(probe);
  const verdict = hasPassed(probe) ? styleText('green', 'ok    ') : styleText('red', 'FAILED');
  return [`  ${verdict}  ${first}`, ...details.map((text) => `          ${text}`)];
}

/** The service time, from the generator and from Prometheus. */
function formatLatency(latency: Latency): string[] {
  return formatTable([['service time', 'generator', 'prometheus'], ...latencyCells(latency)]);
}

function formatPhase(phase: PhaseReport): string[] {
  const { statuses, plan } = phase;
  const answers = Object.entries(statuses).map(([status, count]) => `${formatNumber(count)} x ${status}`);
  const unexpected = phase.errors - phase.unanswered;
  const red = (count: number) => (count > 0 ? styleText('red', formatNumber(count)) : '0');
  return [
    styleText(
      'bold',
      `${phase.pattern}: ${formatCount(phase.sent, 'request')} sent in ${formatMs(phase.durationSeconds * 1000)}`,
    ),
    row('answered', [formatNumber(phase.answered), ...answers].join('   ')),
    row('errors', `${red(phase.errors)}   dropped ${red(phase.dropped)}`),
    ...(unexpected > 0 ? [row('', `${formatNumber(unexpected)} x unexpected status`)] : []),
    ...listFailures(phase.failures).map(({ kind, count, meaning }) =>
      row('', `${formatNumber(count)} x ${kind} (${meaning})`),
    ),
    ...(phase.rerouted > 0
      ? [row('rerouted', `${formatNumber(phase.rerouted)} x refused, then sent to another address`)]
      : []),
    row('rate', `${formatNumber(phase.achievedPerSecond)}/s${formatPlan(plan)}`),
    ...formatDistributions(phase),
    ...phase.slowest.map(formatSlow),
    row('bytes', `${formatBytes(phase.bytesRead)} read, ${formatBytes(phase.bytesWritten)} written`),
    ...phase.thresholds.map(({ threshold, ok, measured }) =>
      row(
        'threshold',
        `${threshold}: ${ok ? styleText('green', 'ok') : styleText('red', 'FAILED')} (${measured})`,
      ),
    ),
  ];
}

function formatEnd(report: Report): string[] {
  return [...describeLost(report).map((line) => styleText('red', line)), whyOpen(report) ?? []].flat();
}

function formatPlan({ schedule, requests, durationSeconds, connections }: PhaseReport['plan']): string {
  const bound = formatCount(connections, 'connection');
  if (schedule === 'closed') return ` (as fast as ${bound} allow)`;
  const asked = requests !== null && durationSeconds !== null ? requests / durationSeconds : Number.NaN;
  return ` (planned ${formatNumber(asked)}/s on average, at most ${bound})`;
}

function formatDistributions({ plan, latencyMs, serviceTimeMs, latenessMs }: PhaseReport): string[] {
  const latency = row('latency', formatDistribution(latencyMs));
  // In a closed loop, a request is due when it is sent, so all three durations would be equal.
  if (plan.schedule === 'closed') return [latency];
  const service = row('service', formatDistribution(serviceTimeMs));
  return [latency, service, row('lateness', formatDistribution(latenessMs))];
}

function formatDistribution(distribution: Distribution | null): string {
  if (distribution === null) return 'no samples';
  return (['p50', 'p90', 'p99', 'p99.9', 'max'] as const)
    .map((at) => `${at} ${formatMs(distribution[at])}`)
    .join('  ');
}

/** The id comes first, because users copy it and long lines are cut off at the end. */
function formatSlow({ traceId, serviceTimeMs, endedWith, target }: SlowRequest, n: number): string {
  const text = row(
    n === 0 ? 'slowest' : '',
    `${traceId}  ${formatMs(serviceTimeMs)}  ${endedWith}  ${target}`,
  );
  return text.slice(0, MOST_COLUMNS);
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(10)}${text}`;
}
