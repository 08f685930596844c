/**
 * Requests per second at 32 connections against a bare server: this generator, autocannon, and undici underneath nothing.
 * In each round each has its turn, in rotating order, and is compared with autocannon of the same round.
 */
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { startServer } from '../lib/server-process.ts';
import { autocannon, childrenCpuMs, loadgen, undici } from './generators.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 2 : 7;
const SECONDS = quick ? 1 : 3;
const CONNECTIONS = 32;

const server = await startServer(new URL('./bare-server.ts', import.meta.url).pathname);
const { url } = server;
/** One turn of a generator: how many requests it sent, at which rate. */
interface Turn {
  readonly requests: number;
  readonly perSecond: number;
}

const generators: [name: string, run: () => Promise<Turn>][] = [
  [
    'loadgen, with ledger and percentiles',
    async () => {
      const flags = ['--rate', 'max', '--duration', `${SECONDS}s`, '--connections', String(CONNECTIONS)];
      const { sent, achievedPerSecond } = await loadgen(url, ...flags);
      return { requests: sent, perSecond: achievedPerSecond };
    },
  ],
  [
    'autocannon',
    async () => {
      const { requests, duration } = await autocannon(url, '-c', String(CONNECTIONS), '-d', String(SECONDS));
      return { requests: requests.total, perSecond: requests.total / duration };
    },
  ],
  [
    'undici, dispatch only',
    async () => {
      const perSecond = await undici(url, CONNECTIONS, SECONDS);
      return { requests: perSecond * SECONDS, perSecond };
    },
  ],
];

const measured = new Map<string, { perSecond: number; cpuMicros: number }[]>(
  generators.map(([name]) => [name, []]),
);
for (let round = 0; round < ROUNDS; round++) {
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  for (let n = 0; n < generators.length; n++) {
    const [name, run] = generators[(n + round) % generators.length] as (typeof generators)[number];
    const beforeMs = childrenCpuMs();
    const { requests, perSecond } = await run();
    measured.get(name)?.push({ perSecond, cpuMicros: (1000 * (childrenCpuMs() - beforeMs)) / requests });
    // Only the client's figures count here; asking for the arrivals empties the witness's memory.
    await server.ask('arrivals');
  }
}
await server.stop();

const base = measured.get('autocannon') ?? [];
const rows = generators.map(([name]) => {
  const runs = measured.get(name) ?? [];
  const ratios = runs.map(({ perSecond }, round) => perSecond / (base[round]?.perSecond ?? Number.NaN));
  return {
    generator: name,
    'requests/s': median(runs.map(({ perSecond }) => perSecond)).toFixed(0),
    'of autocannon': median(ratios).toFixed(2),
    'lowest to highest': `${Math.min(...ratios).toFixed(2)} - ${Math.max(...ratios).toFixed(2)}`,
    'client CPU µs/request': median(runs.map(({ cpuMicros }) => cpuMicros)).toFixed(1),
  };
});
report(
  'loadgen-throughput',
  `${toMarkdown(rows)}

Medians of ${ROUNDS} rounds of ${SECONDS} s each, ${CONNECTIONS} connections, no pipelining, client and server on a core each. "Of autocannon"
compares within a round; the CPU time is of the whole client process, its start included.
${describeMachine(['autocannon', 'undici'])}.
\`npm run bench:loadgen-throughput --workspace bench\``,
  quick,
);
