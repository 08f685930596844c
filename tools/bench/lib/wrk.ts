/**
 * Load by wrk, a client in C that needs a fraction of the server's CPU time, and the rules for valid runs: the server must have been
 * the bottleneck, not the client.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CLIENT_CORE, endedChildrenCpuMs, idleMs, onCore, SERVER_CORE } from './cpu.ts';
import type { ServerProcess } from './server-process.ts';

export const CONNECTIONS = 64;

const SCRIPT = new URL('./mix.lua', import.meta.url).pathname;

/** A server that leaves more of its core idle was not the bottleneck. */
const IDLE_AT_MOST = 0.05;
/** Above this share, other programs used the server's core too much. */
const OTHERS_AT_MOST = 0.15;
/** A client that uses more of its core may have been the bottleneck. */
const CLIENT_BUSY_AT_MOST = 0.9;

type Load = Awaited<ReturnType<typeof load>>;

/** The output of `mix.lua`. */
interface Summary {
  readonly requests: number;
  readonly failed: number;
}

/**
 * Sends `mix` (`GET /products`) repeatedly over kept-alive connections, as fast as possible, to one server or several. Several servers
 * share their core in slices of a few milliseconds, so that any slowdown affects all of them, and their CPU times can be compared
 * several times more precisely than those of separate runs. @throws if a request failed, or wrk is not installed
 */
export async function load(servers: readonly ServerProcess[], mix: readonly string[], seconds: number) {
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
  const usedMicros = used.reduce((sum, micros) => sum + micros, 0);
  return {
    /** For each server, the CPU time per request of all threads, in microseconds. */
    cpuMicros: summaries.map(({ requests, failed }, i) => {
      if (failed > 0) throw new Error(`${failed} of ${requests} requests failed`);
      return (used[i] as number) / requests;
    }),
    /** Shares of the time of the servers' core: idle, and with other programs or other guests of the machine. */
    idle: idleMicros / wholeMicros,
    others: Math.max(0, 1 - (usedMicros + idleMicros) / wholeMicros),
    /** The client's share of its core. */
    clientBusy: clientMs / (1000 * seconds),
  };
}

/** Why this load is invalid; undefined if it is valid. */
export function objection({ idle, others, clientBusy }: Load): string | undefined {
  const conditions = [
    ['the client used its core for', clientBusy, CLIENT_BUSY_AT_MOST],
    ["the servers' core was idle for", idle, IDLE_AT_MOST],
    ["other programs used the servers' core for", others, OTHERS_AT_MOST],
  ] as const;
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const [broken] = conditions.filter(([, share, atMost]) => share > atMost);
  return broken && `${broken[0]} ${percent(broken[1])}, more than ${percent(broken[2])}`;
}

async function wrk(url: string, mix: readonly string[], seconds: number): Promise<Summary> {
  const flags = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', '30s', '-s', SCRIPT];
  const [command, ...rest] = onCore(CLIENT_CORE);
  const { stdout } = await promisify(execFile)(command, [...rest, 'wrk', ...flags, url, '--', ...mix]);
  const [line] = /^\{.*\}$/m.exec(stdout) ?? [];
  if (line === undefined) throw new Error(`expected a summary of wrk, got "${stdout}"`);
  return JSON.parse(line) as Summary;
}
