/**
 * Requests per second at 32 connections against a bare server: this generator, autocannon, and undici underneath nothing.
 * In each round each has its turn, in rotating order, and is compared with autocannon of the same round.
 */
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { startServer } from '../lib/server-process.ts';
import { autocannon, loadgen, undici } from './generators.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 2 : 7;
const SECONDS = quick ? 1 : 3;
const CONNECTIONS = 32;

const server = await startServer(new URL('./bare-server.ts', import.meta.url).pathname);
const { url } = server;
const generators: [name: string, perSecond: () => Promise<number>][] = [
  [
    'loadgen, with ledger and percentiles',
    async () => {
      const flags = ['--rate', 'max', '--duration', `${SECONDS}s`, '--connections', String(CONNECTIONS)];
      return (await loadgen(url, ...flags)).achievedPerSecond;
    },
  ],
  [
    'autocannon',
    async () => {
      const { requests, duration } = await autocannon(url, '-c', String(CONNECTIONS), '-d', String(SECONDS));
      return requests.total / duration;
    },
  ],
  ['undici, dispatch only', () => undici(url, CONNECTIONS, SECONDS)],
];

const measured = new Map<string, number[]>(generators.map(([name]) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  for (let n = 0; n < generators.length; n++) {
    const [name, perSecond] = generators[(n + round) % generators.length] as (typeof generators)[number];
    measured.get(name)?.push(await perSecond());
    // Only the client's figures count here; asking for the arrivals empties the witness's memory.
    await server.ask('arrivals');
  }
}
await server.stop();

const base = measured.get('autocannon') as number[];
const rows = generators.map(([name]) => {
  const runs = measured.get(name) as number[];
  const ratios = runs.map((perSecond, round) => perSecond / (base[round] as number));
  return {
    generator: name,
    'requests/s': median(runs).toFixed(0),
    'of autocannon': median(ratios).toFixed(2),
    'lowest to highest': `${Math.min(...ratios).toFixed(2)} - ${Math.max(...ratios).toFixed(2)}`,
  };
});
report(
  'loadgen-throughput',
  `${toMarkdown(rows)}

Medians of ${ROUNDS} rounds of ${SECONDS} s each, ${CONNECTIONS} connections, no pipelining, client and server on a core each. "Of autocannon"
compares within a round. ${describeMachine(['autocannon', 'undici'])}.
\`npm run bench:loadgen-throughput --workspace bench\``,
  quick,
);
