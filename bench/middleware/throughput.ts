/**
 * Requests per second of each variant, relative to bare Express. All servers run at once and idle until it is their turn;
 * in each round every variant is loaded once, in rotating order, and compared with bare Express of the same round, so
 * that a slow moment of the machine touches all of them.
 */
import { CONNECTIONS, load, type Throughput } from '../lib/load.ts';
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { type ServerProcess, startServer } from '../lib/server-process.ts';
import { variants } from './variants.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 5 : 61;
const REQUESTS = 1_500;
const WARM_UP_REQUESTS = 20_000;

const script = new URL('./server.ts', import.meta.url).pathname;
const names = Object.keys(variants);
const servers = new Map<string, ServerProcess>();
for (const name of names) servers.set(name, await startServer(script, [name]));
const measured = new Map<string, Throughput[]>(names.map((name) => [name, []]));
process.stderr.write('warming up\n');
for (const server of servers.values()) await load(server, WARM_UP_REQUESTS);
for (let round = 0; round < ROUNDS; round++) {
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  for (let i = 0; i < names.length; i++) {
    const name = names[(i + round) % names.length] as string;
    measured.get(name)?.push(await load(servers.get(name) as ServerProcess, REQUESTS));
  }
}
for (const server of servers.values()) await server.stop();

const bare = measured.get('bare Express') as Throughput[];
const ours = measured.get('this instrument') as Throughput[];
const medianCpu = (runs: readonly Throughput[]) => median(runs.map((run) => run.cpuMicros));
const rows = names.map((name) => {
  const runs = measured.get(name) as Throughput[];
  const ratios = runs.map((run, i) => run.perSecond / (bare[i] as Throughput).perSecond);
  return {
    variant: name,
    'requests/s': median(runs.map((run) => run.perSecond)).toFixed(0),
    'of bare': median(ratios).toFixed(3),
    'rounds behind this instrument': `${runs.filter((run, i) => run.perSecond < (ours[i] as Throughput).perSecond).length} of ${ROUNDS}`,
    'server CPU, µs/request': medianCpu(runs).toFixed(1),
    'of bare by CPU': (medianCpu(bare) / medianCpu(runs)).toFixed(3),
  };
});
const packages = [
  'express',
  'prom-client',
  'prometheus-io-client',
  'prometheus-api-metrics',
  'express-prom-bundle',
  'undici',
];
report(
  'middleware-throughput',
  `${toMarkdown(rows)}

Medians of ${ROUNDS} rounds of ${REQUESTS} requests to each, ${CONNECTIONS} connections, server and client on a core each. "Of bare" compares within a
round. ${describeMachine(packages)}. \`npm run bench:throughput --workspace bench\``,
  quick,
);
