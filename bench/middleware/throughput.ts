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
const ROUNDS = quick ? 2 : 9;
const SECONDS = quick ? 1 : 2;

const script = new URL('./server.ts', import.meta.url).pathname;
const names = Object.keys(variants);
const servers = new Map<string, ServerProcess>();
for (const name of names) servers.set(name, await startServer(script, [name]));
const measured = new Map<string, Throughput[]>(names.map((name) => [name, []]));
for (let round = -1; round < ROUNDS; round++) {
  process.stderr.write(round < 0 ? 'warming up\n' : `round ${round + 1} of ${ROUNDS}\n`);
  for (let i = 0; i < names.length; i++) {
    const name = names[(i + Math.max(round, 0)) % names.length] as string;
    const measurement = await load(servers.get(name) as ServerProcess, SECONDS);
    if (round >= 0) measured.get(name)?.push(measurement);
  }
}
for (const server of servers.values()) await server.stop();

const bare = measured.get('bare Express') as Throughput[];
const rows = names.map((name) => {
  const runs = measured.get(name) as Throughput[];
  const ratios = runs.map((run, i) => run.perSecond / (bare[i] as Throughput).perSecond);
  return {
    variant: name,
    'requests/s': median(runs.map((run) => run.perSecond)).toFixed(0),
    'of bare': median(ratios).toFixed(3),
    'lowest to highest': `${Math.min(...ratios).toFixed(2)} - ${Math.max(...ratios).toFixed(2)}`,
    'server CPU µs/request': median(runs.map((run) => run.cpuMicros)).toFixed(1),
  };
});
const packages = [
  'express',
  'prom-client',
  'prometheus-io-client',
  'prometheus-api-metrics',
  'express-prom-bundle',
  'autocannon',
];
report(
  'middleware-throughput',
  `${toMarkdown(rows)}

Medians of ${ROUNDS} rounds of ${SECONDS} s each, ${CONNECTIONS} connections, server and client on a core each. "Of bare" compares within a
round. ${describeMachine(packages)}. \`npm run bench:throughput --workspace bench\``,
  quick,
);
