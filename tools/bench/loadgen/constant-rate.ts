/**
 * 2,000 requests per second for 10 s: how many arrive, and how evenly, as the server saw it. The deviation of an arrival is
 * its distance from where an even row of arrivals, beginning at the first, would have it.
 */
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { startServer } from '../lib/server-process.ts';
import { autocannon, bareSchedule, loadgen, type Phase } from './generators.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 1 : 5;
const SECONDS = quick ? 2 : 10;
const RATE = 2000;

interface Arrivals {
  readonly count: number;
  readonly deviationP99Ms: number;
  /** Most arrivals in any window of 10 ms; an even row has 20. */
  readonly burst: number;
}

function toArrivals(arrivalsMs: readonly number[]): Arrivals {
  const startMs = arrivalsMs[0] ?? 0;
  const deviations = arrivalsMs.map((atMs, n) => Math.abs(atMs - startMs - (n * 1000) / RATE));
  const windows = Map.groupBy(arrivalsMs, (atMs) => Math.floor((atMs - startMs) / 10));
  return {
    count: arrivalsMs.length,
    deviationP99Ms: deviations.toSorted((a, b) => a - b)[Math.floor(0.99 * deviations.length)] ?? Number.NaN,
    burst: Math.max(...[...windows.values()].map(({ length }) => length)),
  };
}

const server = await startServer(new URL('./bare-server.ts', import.meta.url).pathname);
const ours: { phase: Phase; arrivals: Arrivals }[] = [];
const theirs: Arrivals[] = [];
const silent: Readonly<Record<string, number>>[] = [];
const sending: Readonly<Record<string, number>>[] = [];
for (let round = 0; round < ROUNDS; round++) {
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  const phase = await loadgen(server.url, '--rate', String(RATE), '--duration', `${SECONDS}s`);
  ours.push({ phase, arrivals: toArrivals(await server.ask('arrivals')) });
  await autocannon(server.url, '-c', '32', '-d', String(SECONDS), '-R', String(RATE));
  theirs.push(toArrivals(await server.ask('arrivals')));
  silent.push(await bareSchedule(RATE, SECONDS));
  sending.push(await bareSchedule(RATE, SECONDS, server.url));
  await server.ask('arrivals');
}
await server.stop();

const of = (arrivals: readonly Arrivals[]) => ({
  'arrived (every run)': arrivals.map(({ count }) => count).join(', '),
  'p99 deviation': `${median(arrivals.map(({ deviationP99Ms }) => deviationP99Ms)).toFixed(2)} ms`,
  'most in 10 ms': String(median(arrivals.map(({ burst }) => burst))),
});
const lateness = (runs: readonly (Readonly<Record<string, number>> | null)[]) =>
  ['p50', 'p99', 'p99.9']
    .map((at) => `${at} ${median(runs.map((late) => late?.[at] ?? Number.NaN)).toFixed(2)} ms`)
    .join(', ');
const rows = [
  { generator: 'loadgen', ...of(ours.map(({ arrivals }) => arrivals)) },
  { generator: 'autocannon -R', ...of(theirs) },
  {
    generator: 'asked',
    'arrived (every run)': String(RATE * SECONDS),
    'p99 deviation': '0 ms',
    'most in 10 ms': String(RATE / 100),
  },
];
report(
  'loadgen-constant-rate',
  `${toMarkdown(rows)}

${RATE}/s for ${SECONDS} s, ${ROUNDS} runs each, medians except for the counts, which are of every run. Dropped by loadgen: ${ours.map(({ phase }) => phase.dropped).join(', ')};
sent later than intended (medians of the runs): ${lateness(ours.map(({ phase }) => phase.latenessMs))}.
What the machine itself adds, by the same timers on the same core: ${lateness(silent)} with nothing
sent, and ${lateness(sending)} with prepared bytes on bare sockets.
${describeMachine(['autocannon'])}. \`npm run bench:loadgen-constant-rate --workspace tools\``,
  quick,
);
