/** The API as a process of its own, with the flags of the container, run from the sources. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/support/free-port.ts';
import { until } from '../../test/support/until.ts';

/** What the contract promises to a client, whatever others do. */
export const OBJECTIVE_MS = 250;

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export interface AppProcess {
  readonly apiPort: number;
  readonly metricsPort: number;
  readonly flags: readonly string[];
  /** Whether it has not ended. */
  isAlive(): boolean;
  /** What it has logged so far. */
  log(): string;
  residentMb(): number;
  /** The text that a port answers with. */
  get(port: number, url: string): Promise<string>;
  /** Polls until nothing is in progress, and gives the exposition of that moment. */
  settled(): Promise<string>;
  stop(): Promise<void>;
}

/** Runs `main.ts` with nothing else in its environment. */
export function spawnApp(env: Record<string, string>, flags: readonly string[] = []) {
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  const child = spawn(process.execPath, [...flags, path('../src/main.ts')], { env, stdio: [...stdio] });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  return { child, log: () => log };
}

export async function startProcess(environment: Record<string, string> = {}): Promise<AppProcess> {
  const [, words = '[]'] =
    /^CMD (\["node".*app\/dist\/main\.js"\])$/m.exec(readFileSync(path('../../Dockerfile'), 'utf8')) ?? [];
  const flags = (JSON.parse(words) as string[]).slice(1, -1);
  const [apiPort, metricsPort] = [await freePort(), await freePort()];
  const ports = { API_PORT: String(apiPort), METRICS_PORT: String(metricsPort) };
  const { child, log } = spawnApp({ ...ports, LOG_LEVEL: 'error', ...environment }, flags);
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const get = async (port: number, url: string) => (await fetch(`http://127.0.0.1:${port}${url}`)).text();
  await until(
    () => `the process to be ready; it wrote: ${log()}`,
    () =>
      fetch(`http://127.0.0.1:${metricsPort}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
  );
  return {
    apiPort,
    metricsPort,
    flags,
    isAlive,
    log,
    get,
    residentMb() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    },
    async settled() {
      let text = '';
      await until(
        () => `all requests to end: ${gaugeOf(text, 'inprogress_requests')} are in progress`,
        async () => {
          text = await get(metricsPort, '/metrics');
          return gaugeOf(text, 'inprogress_requests') === 0;
        },
      );
      return text;
    },
    async stop() {
      if (!isAlive()) return;
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

export const gaugeOf = (text: string, series: string) =>
  Number(new RegExp(`^${series} (\\S+)$`, 'm').exec(text)?.[1]);

/** The sum of the series of a metric, or of those whose labels have this in them. */
export const sumOf = (text: string, metric: string, labels = '') =>
  [...text.matchAll(new RegExp(`^${metric}\\{.*${labels}.*\\} (\\d+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );

/** The durations of `count` requests that are sent one after the other while something else goes on, the shortest first. */
export async function probe(app: AppProcess, count: number): Promise<number[]> {
  const durationsMs: number[] = [];
  for (let n = 0; n < count; n++) {
    const startMs = performance.now();
    const text = await app.get(app.apiPort, '/cart');
    if (text !== 'cart') throw new Error(`expected "cart", got "${text}"`);
    durationsMs.push(performance.now() - startMs);
  }
  return durationsMs.sort((a, b) => a - b);
}

/** Half of them and not 99 % are held against the objective: other tests share the machine. */
export const median = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] as number;
