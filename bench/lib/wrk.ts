/**
 * Load by wrk, a client in C that needs a fraction of the time of the server that it loads; and the rules by which a run
 * counts: the server must have been the limit, and the client must not.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CLIENT_CORE, onCore, SERVER_CORE } from './cores.ts';
import type { ServerProcess } from './server-process.ts';

export const CONNECTIONS = 32;

const SCRIPT = new URL('./mix.lua', import.meta.url).pathname;

/** A server that uses less than this share of its core was not the limit. */
const SERVER_BUSY_AT_LEAST = 0.95;
/** A client that uses more of its core than this may have been the limit itself. */
const CLIENT_BUSY_AT_MOST = 0.9;

export interface Throughput {
  readonly perSecond: number;
  /** CPU time of the server for each request, all its threads, in microseconds. */
  readonly cpuMicros: number;
  /** The server's share of the time that its core really had, and the client's of the run. */
  readonly serverBusy: number;
  readonly clientBusy: number;
}

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
  const before = await server.usage();
  const stolenBeforeMs = stolenCpuMs(SERVER_CORE);
  const clientBeforeMs = endedChildrenCpuMs();
  const { requests, durationMicros, failed } = await wrk(server.url, mix, seconds);
  const clientMs = endedChildrenCpuMs() - clientBeforeMs;
  const stolenMicros = 1000 * (stolenCpuMs(SERVER_CORE) - stolenBeforeMs);
  const after = await server.usage();
  if (failed > 0) throw new Error(`${failed} of ${requests} requests failed`);
  const cpuMicros = after.cpuMicros - before.cpuMicros;
  return {
    perSecond: (requests * 1e6) / durationMicros,
    cpuMicros: cpuMicros / requests,
    serverBusy: cpuMicros / (durationMicros - stolenMicros),
    clientBusy: (clientMs * 1000) / durationMicros,
  };
}

/** Why `run` says nothing of its server; undefined where it does. */
export function objection({ serverBusy, clientBusy }: Throughput): string | undefined {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  if (clientBusy > CLIENT_BUSY_AT_MOST)
    return `the client used ${percent(clientBusy)} of its core, more than ${percent(CLIENT_BUSY_AT_MOST)}`;
  if (serverBusy < SERVER_BUSY_AT_LEAST)
    return `the server used ${percent(serverBusy)} of its core, less than ${percent(SERVER_BUSY_AT_LEAST)}`;
  return undefined;
}

async function wrk(url: string, mix: readonly string[], seconds: number): Promise<Summary> {
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', SCRIPT, url, '--', ...mix];
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

/** Time in ms that `core` of a virtual machine was given to other guests so far (field 8 of its line in /proc/stat). */
function stolenCpuMs(core: number): number {
  const line = new RegExp(`^cpu${core} .*$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[0] ?? '';
  return 10 * Number(line.split(' ')[8] ?? 0);
}

/** CPU time of all ended children so far, in ms (fields 16 and 17 of /proc/self/stat, in hundredths of a second). */
function endedChildrenCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[13]) + Number(fields[14]));
}
