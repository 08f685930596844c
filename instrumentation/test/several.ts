/** Runs a server of several processes or threads, sends requests to it, and reads its metrics. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { until } from '../../test/support/until.ts';
import { consistent, parse, toCounts } from './harness.ts';

export interface Several {
  readonly port: number;
  /** The pids of workers that have ended. */
  readonly ended: number[];
  command<T>(name: string, value?: unknown): Promise<T>;
  get(path: string): Promise<Answer>;
  scrape(): Promise<Scrape>;
  /** Waits until a worker has ended, after which there are `left`. */
  untilEnded(pid: number | undefined, left: number): Promise<Scrape>;
}

export interface Answer {
  readonly body: string;
  /** The process and the thread that answered. */
  readonly worker: string;
  readonly atMs: number;
}

/** An exposition. @throws if its request metrics disagree with each other */
export class Scrape {
  readonly text: string;
  readonly #samples: ReturnType<typeof parse>;

  constructor(text: string) {
    this.text = text;
    this.#samples = parse(text);
    consistent(toCounts(text));
  }

  /** The sum of all series of `name` with `labels`; undefined without any. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.#samples.filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    return found.length === 0 ? undefined : found.reduce((total, { value }) => total + value, 0);
  }

  /** The requests that the route of {@link load} has counted. */
  users(): number | undefined {
    return this.value('http_requests_total', { path: '/users/:id' });
  }

  /** All series that must never fall. */
  counters(): ReadonlyMap<string, number> {
    const types = new Map(
      [...this.text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]),
    );
    const familyOf = (name: string) => (types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''));
    return new Map(
      this.#samples
        .filter(({ name, labels }) => {
          const type = types.get(familyOf(name));
          return (type === 'counter' || type === 'histogram') && !('worker' in labels);
        })
        .map(({ name, labels, value }) => [`${name}${JSON.stringify(labels)}`, value]),
    );
  }
}

/** @throws with the names of the counters of `before` that are lower in `after`, or missing */
export function checkMonotonic(before: Scrape, after: Scrape): void {
  const now = after.counters();
  const fallen = [...before.counters()].flatMap(([series, value]) => {
    const next = now.get(series);
    return next !== undefined && next >= value ? [] : [`${series}: ${value} -> ${next}`];
  });
  if (fallen.length > 0) throw new Error(`fell: ${fallen.join('\n')}`);
}

/** Every program that this file has started, and the pids of its workers that have not ended. */
const running = new Map<ChildProcess, Set<number>>();

/** Ends every program with its workers: a blocked worker outlives its primary, and its open stderr would hold Jest. */
export async function stopAll(): Promise<void> {
  for (const [child, workers] of running) {
    for (const pid of [...workers, child.pid]) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  running.clear();
}

export async function start(program: string, env: Readonly<Record<string, string>> = {}): Promise<Several> {
  const path = fileURLToPath(new URL(`./programs/${program}.js`, import.meta.url));
  const child = fork(path, {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk) => {
    errors += chunk;
  });
  const ended: number[] = [];
  const workers = new Set<number>();
  running.set(child, workers);
  const { port, metricsPort } = await new Promise<{ port: number; metricsPort: number }>(
    (resolve, reject) => {
      child.on(
        'message',
        (message: { started?: number; ended?: number; port: number; metricsPort: number }) => {
          if (message.started !== undefined) workers.add(message.started);
          if (message.ended !== undefined) {
            workers.delete(message.ended);
            ended.push(message.ended);
          }
          if (message.metricsPort !== undefined) resolve(message);
        },
      );
      child.once('exit', (code) => reject(new Error(`${program} ended with ${code}: ${errors}`)));
    },
  );
  const several: Several = {
    port,
    ended,
    command: <T>(name: string, value?: unknown) => sendCommand(child, name, value) as Promise<T>,
    get: (target) => get(port, target),
    scrape: async () => new Scrape((await get(metricsPort, '/metrics')).body),
    async untilEnded(pid = 0, left) {
      await until('the worker to end', () => ended.includes(pid));
      return untilWorkers(several, left);
    },
  };
  await untilWorkers(several, Number(env.WORKERS ?? 2));
  return several;
}

/** Waits for the reports of `count` workers, which start after they listen. @returns the scrape with that many */
export async function untilWorkers(several: Several, count: number): Promise<Scrape> {
  let scrape: Scrape | undefined;
  await until(`${count} workers`, async () => {
    scrape = await several.scrape();
    return scrape.value('http_server_workers') === count;
  });
  return scrape as Scrape;
}

/** Waits until the report of one of two workers is too old for one that answers each scrape. @returns the scrape with its age */
export async function untilOld(several: Several): Promise<Scrape> {
  let scrape: Scrape | undefined;
  await until('the report to be old', async () => {
    scrape = await untilWorkers(several, 2);
    return Math.max(...['1', '2'].map(ageIn(scrape))) > 0.9;
  });
  return scrape as Scrape;
}

const ageIn = (scrape: Scrape) => (worker: string) =>
  Number(scrape.value('http_server_worker_report_age_seconds', { worker }));

let commands = 0;

function sendCommand(child: ChildProcess, name: string, value: unknown): Promise<unknown> {
  const id = ++commands;
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`the program ended before ${name}`));
    child.once('exit', onExit);
    const onMessage = (message: { id?: number; result?: unknown }) => {
      if (message.id !== id) return;
      child.off('message', onMessage).off('exit', onExit);
      resolve(message.result);
    };
    child.on('message', onMessage);
    child.send({ id, name, value });
  });
}

const agent = new Agent({ keepAlive: false, maxSockets: 64 });

/** A connection for each request, so that any worker may get it. */
export async function get(port: number, path: string, timeoutMs = 0): Promise<Answer> {
  const request = httpRequest({ host: '127.0.0.1', port, path, agent });
  request.setTimeout(timeoutMs, () => request.destroy(new Error('abandoned')));
  // An error after the head also fails the body.
  const [response] = await once(request.on('error', () => undefined).end(), 'response');
  const body = await text(response);
  return { body, worker: String(response.headers['x-worker']), atMs: performance.now() };
}

/** Node never closes a connection that it passed to a worker that was killed before accepting it. */
export const ABANDONED_MS = 10_000;

/** Requests `/users/:id` at a rate until it is stopped. @param timeoutMs after how long to give up a request; 0 for never */
export function load(port: number, perSecond: number, timeoutMs = 0) {
  const answers: Answer[] = [];
  const failures: string[] = [];
  let sent = 0;
  const pending = new Set<Promise<void>>();
  const startMs = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startMs) / 1000) * perSecond;
    // On a busy machine, overdue requests are not sent all at once.
    for (let i = 0; i < 20 && sent < due; i++) {
      const one: Promise<void> = get(port, `/users/${sent++ % 20}`, timeoutMs).then(
        (answer) => void answers.push(answer),
        (error: NodeJS.ErrnoException) => void failures.push(error.code ?? error.message),
      );
      pending.add(one);
      void one.finally(() => pending.delete(one));
    }
  }, 2);
  return {
    answers,
    failures,
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
    },
  };
}
