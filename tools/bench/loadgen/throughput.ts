/**
 * Requests per second at 32 connections against nginx, which is faster than each of the clients: this generator, wrk, autocannon, and
 * plain undici. (A server on Node would limit all of them.) In each round, each client runs once, in rotating order, and is compared
 * with the others of the same round.
 */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CLIENT_CORE, endedChildrenCpuMs } from '../lib/cpu.ts';
import { median, quick, report, spread } from '../lib/report.ts';
import { nginxVersion, startNginx } from './nginx.ts';

const ROUNDS = quick ? 2 : 9;
const SECONDS = quick ? 1 : 5;
const CONNECTIONS = 32;

/** The number and rate of a generator's requests in one turn. */
interface Turn {
  readonly requests: number;
  readonly perSecond: number;
}

/** A program, started like users do, and a parser of its output. */
interface Generator {
  readonly title: string;
  command(url: string): readonly string[];
  read(output: string): Turn;
}

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const ofRate = (perSecond: number): Turn => ({ requests: perSecond * SECONDS, perSecond });

const generators: readonly Generator[] = [
  {
    title: 'loadgen, everything on',
    command: (url) => [
      ...[process.execPath, path('../../../loadgen/dist/main.js'), 'run', path('get.yaml')],
      ...['--target', url, '--rate', 'max', '--duration', `${SECONDS}s`, '--connections', `${CONNECTIONS}`],
      ...['--json', '-', '--quiet'],
    ],
    read(output) {
      const { phases } = JSON.parse(output) as {
        phases: { sent: number; errors: number; achievedPerSecond: number }[];
      };
      const [phase] = phases;
      if (phase?.errors !== 0) throw new Error(`the load ended with ${phase?.errors} errors`);
      return { requests: phase.sent, perSecond: phase.achievedPerSecond };
    },
  },
  {
    title: 'wrk, one thread',
    command: (url) => ['wrk', '-t', '1', '-c', `${CONNECTIONS}`, '-d', `${SECONDS}s`, `${url}/products`],
    read: (output) => ofRate(Number(/Requests\/sec:\s*([\d.]+)/.exec(output)?.[1])),
  },
  {
    title: 'autocannon',
    command: (url) => [
      ...[process.execPath, path('../../../node_modules/autocannon/autocannon.js'), '--json'],
      ...['-c', `${CONNECTIONS}`, '-d', `${SECONDS}`, `${url}/products`],
    ],
    read(output) {
      const { requests, duration } = JSON.parse(output) as { requests: { total: number }; duration: number };
      return { requests: requests.total, perSecond: requests.total / duration };
    },
  },
  {
    title: 'undici, dispatch only',
    command: (url) => [process.execPath, path('undici-client.ts'), url, `${CONNECTIONS}`, `${SECONDS}`],
    read: (output) => ofRate(Number(output)),
  },
];

const missing = ['nginx', 'wrk'].filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
if (missing.length > 0) {
  process.stderr.write(`left out: ${missing.join(' and ')} not on this machine (Debian: nginx-light, wrk)\n`);
  process.exit(0);
}
const server = await startNginx();

const measured = generators.map(() => [] as { perSecond: number; cpuMicros: number }[]);
for (let round = 0; round < ROUNDS; round++) {
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  for (let n = 0; n < generators.length; n++) {
    const turn = (n + round) % generators.length;
    const { command, read } = generators[turn] as Generator;
    const beforeMs = endedChildrenCpuMs();
    const words = ['-c', String(CLIENT_CORE), ...command(server.url)];
    const { stdout } = await promisify(execFile)('taskset', words);
    const { requests, perSecond } = read(stdout);
    const cpuMicros = (1000 * (endedChildrenCpuMs() - beforeMs)) / requests;
    measured[turn]?.push({ perSecond, cpuMicros });
  }
}
await server.stop();

const rows = generators.map(({ title }, n) => {
  const runs = measured[n] ?? [];
  /** The ratio to another generator, in each round. */
  const ratiosTo = (peer: string) => {
    const others = measured[generators.findIndex((other) => other.title === peer)] ?? [];
    return runs.map(({ perSecond }, round) => perSecond / (others[round]?.perSecond ?? Number.NaN));
  };
  const ratios = ratiosTo('autocannon');
  return {
    generator: title,
    'requests/s': median(runs.map(({ perSecond }) => perSecond)).toFixed(0),
    'of autocannon': median(ratios).toFixed(2),
    'lowest to highest': spread(ratios),
    'of wrk': median(ratiosTo('wrk, one thread')).toFixed(2),
    'client CPU µs/request': median(runs.map(({ cpuMicros }) => cpuMicros)).toFixed(1),
  };
});
report(
  'loadgen-throughput',
  rows,
  `Medians of ${ROUNDS} rounds of ${SECONDS} s, with ${CONNECTIONS} connections and no pipelining; nginx (one worker, \`return 200\`) and the client have a core each.
"Of autocannon" and "of wrk" compare within a round. CPU time is that of the whole client process, including its start. wrk is written in
C and keeps no ledger; this generator cannot switch off its ledger, percentiles, targets and figures over time. ${nginxVersion()}.`,
  ['autocannon', 'undici'],
);
