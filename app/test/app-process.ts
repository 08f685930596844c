/** Runs the API from its sources in a separate process, with the flags of the container. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connectRaw, type RawClient } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const CONTAINER_COMMAND = /^CMD \["node", (.*), "app\/dist\/main\.js"\]$/m;

/** Runs `main.ts` with nothing else in its environment. */
export function spawnApp(environment: Record<string, string>) {
  const [, flags] = CONTAINER_COMMAND.exec(readFileSync(path('../../Dockerfile'), 'utf8')) ?? [];
  const words = [...(JSON.parse(`[${flags}]`) as string[]), path('../src/main.ts')];
  const child = spawn(process.execPath, words, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  // `close`, not `exit`: its output is complete only on `close`.
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return {
    exit,
    /** Its log so far. */
    log: () => log,
    /** The messages of complete lines; the last line may be incomplete. */
    messages: () =>
      log
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { msg: string }).msg),
    signal: (name: NodeJS.Signals) => void child.kill(name),
    isAlive: () => child.exitCode === null && child.signalCode === null,
    residentMb() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    },
  };
}

export type AppProcess = Awaited<ReturnType<typeof startProcess>>;

/** The log line of a process that is ready, except of a worker, which has no metrics port. */
const READY = /"apiPort":(\d+),"metricsPort":(\d+),/;

/** Waits until it is ready, on ports that the system chooses. */
export async function startProcess(environment: Record<string, string> = {}) {
  const app = spawnApp({ API_PORT: '0', METRICS_PORT: '0', SHUTDOWN_SCRAPE_WAIT_MS: '0', ...environment });
  await until(
    () => `the process to be ready; it wrote: ${app.log()}`,
    () => READY.test(app.log()),
  );
  const [apiPort = 0, metricsPort = 0] = (READY.exec(app.log()) ?? []).slice(1).map(Number);
  const get = async (port: number, url: string) => (await fetch(`http://127.0.0.1:${port}${url}`)).text();
  return {
    ...app,
    apiPort,
    metricsPort,
    /** The text of a response. */
    get,
    /** Polls until `count` requests are in progress. @returns the exposition at that moment */
    async inProgress(count: number): Promise<string> {
      let text = '';
      await until(
        () => `${count} requests in progress: ${/^inprogress_requests .*$/m.exec(text)}`,
        async () => {
          text = await get(metricsPort, '/metrics');
          return text.includes(`\ninprogress_requests ${count}\n`);
        },
      );
      return text;
    },
    /** Sends requests until `count` are in progress; earlier ones may have ended. @returns their clients */
    async hold(count: number): Promise<RawClient[]> {
      const clients: RawClient[] = [];
      await until(`${count} requests in progress`, async () => {
        for (let n = 0; n < count; n++) {
          const client = await connectRaw(apiPort);
          client.send('GET /products HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
          clients.push(client);
        }
        const text = await get(metricsPort, '/metrics?name[]=inprogress_requests');
        return Number(/^inprogress_requests (\d+)$/m.exec(text)?.[1]) >= count;
      });
      return clients;
    },
    /** Sends `count` requests one after the other. @throws if one gets another response */
    async probe(count: number): Promise<void> {
      for (let n = 0; n < count; n++) {
        const text = await get(apiPort, '/cart');
        if (text !== 'cart') throw new Error(`expected "cart", got "${text}"`);
      }
    },
    async kill(): Promise<void> {
      app.signal('SIGKILL');
      await app.exit;
    },
  };
}
