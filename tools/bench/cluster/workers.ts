/** The throughput of the API on two cores, as one process and as a cluster of two. The client shares the cores. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type AppProcess, startProcess } from '../../../app/test/app-process.ts';
import { sumOf } from '../../../test/support/exposition.ts';
import { CLIENT_CORE, SERVER_CORE, takePrecedence } from '../lib/cpu.ts';
import { median, quick, report, spread } from '../lib/report.ts';

const ROUNDS = quick ? 3 : 9;
const SECONDS = quick ? 2 : 3;
const WARM_UP_SECONDS = quick ? 3 : 8;
const CONNECTIONS = 64;

const run = promisify(execFile);

/** The CPU time of all processes of the API so far, in microseconds. */
async function cpuMicros({ get, metricsPort }: AppProcess): Promise<number> {
  const text = await get(metricsPort, '/metrics?name[]=process_cpu_seconds_total');
  return 1e6 * sumOf(text, 'process_cpu_seconds_total');
}

/** @throws if a request failed or wrk is not installed */
async function load(app: AppProcess, seconds: number) {
  const before = await cpuMicros(app);
  const url = `http://127.0.0.1:${app.apiPort}/products`;
  const { stdout } = await run('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', '30s', url]);
  const [, requests] = /^ +(\d+) requests in/m.exec(stdout) ?? [];
  const [, perSecond] = /^Requests\/sec: +(\S+)$/m.exec(stdout) ?? [];
  if (!requests || !perSecond || /Non-2xx|Socket errors/.test(stdout))
    throw new Error(`expected only successful responses, got "${stdout}"`);
  return { perSecond: Number(perSecond), micros: ((await cpuMicros(app)) - before) / Number(requests) };
}

// Otherwise all processes would run on the client's core, and with lower priority than other programs.
if (takePrecedence()) await run('renice', ['-n', '-20', '-p', String(process.pid)]);
await run('taskset', ['-a', '-c', '-p', `${SERVER_CORE},${CLIENT_CORE}`, String(process.pid)]);
const workers = [1, 2];
const apps = await Promise.all(workers.map((API_WORKERS) => startProcess({ API_WORKERS: `${API_WORKERS}` })));
for (const app of apps) await load(app, WARM_UP_SECONDS);
const loads: Awaited<ReturnType<typeof load>>[][] = apps.map(() => []);
for (let round = 0; round < ROUNDS; round++)
  for (const [i, app] of apps.entries()) loads[i]?.push(await load(app, SECONDS));
await Promise.all(apps.map((app) => app.kill()));

const [alone = []] = loads;
report(
  'cluster-workers',
  loads.map((own, i) => {
    const ratios = own.map(({ perSecond }, round) => perSecond / (alone[round]?.perSecond ?? Number.NaN));
    return {
      API_WORKERS: String(workers[i]),
      'requests/s': median(own.map(({ perSecond }) => perSecond)).toFixed(0),
      'of one process': median(ratios).toFixed(2),
      'lowest to highest': spread(ratios),
      'CPU of a request, µs': median(own.map(({ micros }) => micros)).toFixed(0),
    };
  }),
  `\`GET /products\` of the API over ${CONNECTIONS} connections from wrk, on two cores that all processes share. Medians of ${ROUNDS} rounds of ${SECONDS} s, in which one
process and two workers take turns. CPU time is that of the server's processes, including the primary.`,
);
