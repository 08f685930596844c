/**
 * Requests per second at 32 connections against nginx, which answers faster than any of these asks: this generator, wrk,
 * autocannon, and undici underneath nothing. (Against a server on Node all would be bound by the server.) In each round
 * each has its turn, in rotating order, and is compared with the others of the same round.
 */
import { endedChildrenCpuMs } from '../lib/cpu-time.ts';
import { missingPrograms, nginxVersion, startNginx } from '../lib/nginx.ts';
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { autocannon, loadgen, undici, wrk } from './generators.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 2 : 9;
const SECONDS = quick ? 1 : 5;
const CONNECTIONS = 32;

const missing = missingPrograms('nginx', 'wrk');
if (missing.length > 0) {
  process.stderr.write(`left out: ${missing.join(' and ')} not on this machine (Debian: nginx-light, wrk)\n`);
  process.exit(0);
}
const server = await startNginx();
const { url } = server;
/** One turn of a generator: how many requests it sent, at which rate. */
interface Turn {
  readonly requests: number;
  readonly perSecond: number;
}

const generators: [name: string, run: () => Promise<Turn>][] = [
  [
    'loadgen, everything on',
    async () => {
      const flags = ['--rate', 'max', '--duration', `${SECONDS}s`, '--connections', String(CONNECTIONS)];
      const { sent, achievedPerSecond } = await loadgen(url, ...flags);
      return { requests: sent, perSecond: achievedPerSecond };
    },
  ],
  [
    'wrk, one thread',
    async () => {
      const perSecond = await wrk(url, CONNECTIONS, SECONDS);
      return { requests: perSecond * SECONDS, perSecond };
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
    const beforeMs = endedChildrenCpuMs();
    const { requests, perSecond } = await run();
    measured.get(name)?.push({ perSecond, cpuMicros: (1000 * (endedChildrenCpuMs() - beforeMs)) / requests });
  }
}
await server.stop();

/** In each round beside one of the others. */
function ratiosTo(peer: string, name: string): number[] {
  const others = measured.get(peer) ?? [];
  return (measured.get(name) ?? []).map(
    ({ perSecond }, round) => perSecond / (others[round]?.perSecond ?? Number.NaN),
  );
}

const rows = generators.map(([name]) => {
  const runs = measured.get(name) ?? [];
  const ratios = ratiosTo('autocannon', name);
  return {
    generator: name,
    'requests/s': median(runs.map(({ perSecond }) => perSecond)).toFixed(0),
    'of autocannon': median(ratios).toFixed(2),
    'lowest to highest': `${Math.min(...ratios).toFixed(2)} - ${Math.max(...ratios).toFixed(2)}`,
    'of wrk': median(ratiosTo('wrk, one thread', name)).toFixed(2),
    'client CPU µs/request': median(runs.map(({ cpuMicros }) => cpuMicros)).toFixed(1),
  };
});
report(
  'loadgen-throughput',
  `${toMarkdown(rows)}

Medians of ${ROUNDS} rounds of ${SECONDS} s each, ${CONNECTIONS} connections, no pipelining, nginx (one worker, \`return 200\`) and the client on a core
each. "Of autocannon" and "of wrk" compare within a round; the CPU time is of the whole client process, its start included.
wrk is C and keeps no ledger; this generator has ledger, percentiles, targets and course over time on: they cannot be switched off.
${describeMachine(['autocannon', 'undici'])}, ${nginxVersion()}.
\`npm run bench:loadgen-throughput --workspace tools\``,
  quick,
);
