/**
 * Load by wrk, a client in C that needs a fraction of the time of the server that it loads; and the rules by which a run
 * counts: the server must have been the limit, and the client must not.
 */
import { spawn } from 'node:child_process';
import { CLIENT_CORE, onCore, SERVER_CORE } from './cores.ts';
import { endedChildrenCpuMs, idleMs } from './cpu-time.ts';
import type { ServerProcess } from './server-process.ts';

export const CONNECTIONS = 64;

const SCRIPT = new URL('./mix.lua', import.meta.url).pathname;

/** A server that leaves more of its core idle was not the limit. */
const IDLE_AT_MOST = 0.05;
/** A server that has to share its core with others for longer was not alone. */
const OTHERS_AT_MOST = 0.15;
/** A client that uses more of its core than this may have been the limit itself. */
const CLIENT_BUSY_AT_MOST = 0.9;

export interface Throughput {
  readonly perSecond: number;
  /** CPU time of the server for each request, all its threads, in microseconds. */
  readonly cpuMicros: number;
  /** Shares of the time of the server's core: idle, and with other programs or other guests of the machine. */
  readonly idle: number;
  readonly others: number;
  /** The client's share of its core. */
  readonly clientBusy: number;
}

/** How a core was used: {@link Throughput} has the fields. */
export type Conditions = Pick<Throughput, 'idle' | 'others' | 'clientBusy'>;

/** What `mix.lua` prints at the end. */
interface Summary {
  readonly requests: number;
  readonly durationMicros: number;
  readonly failed: number;
}

/**
 * Sends `mix` (`GET /products`) in turns over kept-alive connections, as fast as they are answered.
 * @throws when a request failed, or wrk is not installed
 */
export async function load(
  server: ServerProcess,
  mix: readonly string[],
  seconds: number,
): Promise<Throughput> {
  const { runs, ...conditions } = await loadTogether([server], mix, seconds);
  return { ...(runs[0] as (typeof runs)[number]), ...conditions };
}

/**
 * The same to several servers at once. They share their core a few milliseconds at a time, so that whatever slows it down
 * meets all of them, and their CPU times compare several times more exactly than those of turns.
 */
export async function loadTogether(
  servers: readonly ServerProcess[],
  mix: readonly string[],
  seconds: number,
): Promise<Conditions & { readonly runs: readonly Pick<Throughput, 'perSecond' | 'cpuMicros'>[] }> {
  const usages = () => Promise.all(servers.map((server) => server.usage()));
  const before = await usages();
  const idleBeforeMs = idleMs(SERVER_CORE);
  const clientBeforeMs = endedChildrenCpuMs();
  const summaries = await Promise.all(servers.map(({ url }) => wrk(url, mix, seconds)));
  const clientMs = endedChildrenCpuMs() - clientBeforeMs;
  const idleMicros = 1000 * (idleMs(SERVER_CORE) - idleBeforeMs);
  const after = await usages();
  const used = after.map(({ cpuMicros }, i) => cpuMicros - (before[i]?.cpuMicros ?? 0));
  const wholeMicros = 1000 * ((after[0]?.atMs ?? 0) - (before[0]?.atMs ?? 0));
  const runs = summaries.map(({ requests, durationMicros, failed }, i) => {
    if (failed > 0) throw new Error(`${failed} of ${requests} requests failed`);
    return {
      perSecond: (requests * 1e6) / durationMicros,
      cpuMicros: (used[i] as number) / requests,
    };
  });
  const usedMicros = used.reduce((sum, micros) => sum + micros, 0);
  return {
    runs,
    idle: idleMicros / wholeMicros,
    others: Math.max(0, 1 - (usedMicros + idleMicros) / wholeMicros),
    clientBusy: clientMs / (1000 * seconds),
  };
}

/** Why `run` says nothing of its server; undefined where it does. */
export function objection({ idle, others, clientBusy }: Conditions): string | undefined {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  if (clientBusy > CLIENT_BUSY_AT_MOST)
    return `the client used ${percent(clientBusy)} of its core, more than ${percent(CLIENT_BUSY_AT_MOST)}`;
  if (idle > IDLE_AT_MOST)
    return `the server's core was idle for ${percent(idle)}, more than ${percent(IDLE_AT_MOST)}`;
  if (others > OTHERS_AT_MOST)
    return `other programs used ${percent(others)} of the server's core, more than ${percent(OTHERS_AT_MOST)}`;
  return undefined;
}

async function wrk(url: string, mix: readonly string[], seconds: number): Promise<Summary> {
  const args = [
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${seconds}s`,
    '--timeout',
    '30s',
    '-s',
    SCRIPT,
    url,
    '--',
    ...mix,
  ];
  const [command, ...rest] = onCore(CLIENT_CORE);
  const child = spawn(command, [...rest, 'wrk', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [line] = /^\{.*\}$/m.exec(text) ?? [];
  if (line === undefined)
    throw new Error(`expected a summary of wrk (Debian: apt-get install wrk), got "${text}"`);
  return JSON.parse(line) as Summary;
}
