/**
 * A server that answers nothing for 2 s in the middle of 6 s at 500/s. Of the 3,000 requests that users would have made,
 * 1,000 fall into the stall and wait for its end, so what they felt can be reckoned. What does each generator report?
 */
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { startServer } from '../lib/server-process.ts';
import { autocannon, loadgen } from './generators.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 1 : 5;
const SECONDS = 6;
const RATE = 500;
const [STALL_AFTER_MS, STALL_MS] = [2000, 2000];
const PERCENTILES = ['p50', 'p90', 'p99', 'max'] as const;

type Felt = readonly number[];

/** Waits in ms at the percentiles: nothing outside of the stall, and inside of it the time to its end. */
function reckoned(): Felt {
  const waits = Array.from({ length: RATE * SECONDS }, (_, n) => {
    const leftMs = STALL_AFTER_MS + STALL_MS - (n * 1000) / RATE;
    return leftMs > 0 && leftMs <= STALL_MS ? leftMs : 0;
  }).sort((a, b) => a - b);
  return [0.5, 0.9, 0.99, 1].map(
    (share) => waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] as number,
  );
}

/** A new server each time: its stall comes once. */
async function against(
  measure: (url: string) => Promise<Readonly<Record<string, number>> | null>,
): Promise<Felt> {
  const script = new URL('./bare-server.ts', import.meta.url).pathname;
  const server = await startServer(script, [String(STALL_AFTER_MS), String(STALL_MS)]);
  const latency = await measure(server.url);
  await server.stop();
  return PERCENTILES.map((at) => latency?.[at] ?? Number.NaN);
}

const generators: [name: string, run: () => Promise<Felt>][] = [
  [
    'loadgen --rate 500',
    () =>
      against(async (url) => {
        const flags = ['--rate', String(RATE), '--duration', `${SECONDS}s`, '--connections', '1000'];
        return (await loadgen(url, ...flags)).latencyMs;
      }),
  ],
  ...[['-R', String(RATE)], []].map((rate): [string, () => Promise<Felt>] => [
    ['autocannon -c 32', ...rate].join(' '),
    () => against(async (url) => (await autocannon(url, '-c', '32', '-d', String(SECONDS), ...rate)).latency),
  ]),
];
const measured = new Map<string, Felt[]>(generators.map(([name]) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  for (const [name, run] of generators) measured.get(name)?.push(await run());
}

const show = (name: string, felt: Felt) =>
  Object.fromEntries([
    ['', name],
    ...PERCENTILES.map((at, i) => [at, `${Math.round(felt[i] ?? Number.NaN)} ms`]),
  ]);
const rows = [
  show('what users would have felt (reckoned)', reckoned()),
  ...[...measured].map(([name, runs]) =>
    show(
      name,
      PERCENTILES.map((_, i) => median(runs.map((felt) => felt[i] ?? Number.NaN))),
    ),
  ),
];
report(
  'loadgen-stall',
  `${toMarkdown(rows)}

${RATE}/s for ${SECONDS} s, the server silent for ${STALL_MS / 1000} s after ${STALL_AFTER_MS / 1000} s; medians of ${ROUNDS} runs. The last row is autocannon as most people
start it, without a rate. ${describeMachine(['autocannon'])}. \`npm run bench:loadgen-stall --workspace tools\``,
  quick,
);
