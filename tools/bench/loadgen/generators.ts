/** The generators that are compared, each as a person starts it: a process of its own, on the core that the server has not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CLIENT_CORE } from '../lib/cores.ts';

const LOADGEN = new URL('../../../loadgen/dist/main.js', import.meta.url).pathname;
const AUTOCANNON = new URL('../../../node_modules/autocannon/autocannon.js', import.meta.url).pathname;
const UNDICI = new URL('./undici-client.ts', import.meta.url).pathname;
const BARE_SCHEDULE = new URL('./bare-schedule.ts', import.meta.url).pathname;
const PATTERN = new URL('./get.yaml', import.meta.url).pathname;

/** Times in ms; null where nothing was measured. */
export interface Phase {
  readonly sent: number;
  readonly dropped: number;
  readonly errors: number;
  readonly achievedPerSecond: number;
  readonly latencyMs: Readonly<Record<string, number>> | null;
  readonly latenessMs: Readonly<Record<string, number>> | null;
}

interface AutocannonResult {
  readonly requests: { readonly total: number };
  readonly duration: number;
  readonly latency: Readonly<Record<string, number>>;
}

/** @throws where it is not built */
export function startLoadgen(url: string, args: readonly string[], pattern = PATTERN) {
  if (!existsSync(LOADGEN)) throw new Error(`expected ${LOADGEN}: build it first, with "npm run build"`);
  return start(LOADGEN, ['run', pattern, '--target', url, '--json', '-', '--quiet', ...args]);
}

/** Our generator, with ledger and percentiles on: they cannot be switched off. */
export async function loadgen(url: string, ...args: string[]): Promise<Phase> {
  const { phases } = JSON.parse(await startLoadgen(url, args).output) as { phases: Phase[] };
  const [phase] = phases;
  if (phase === undefined || phase.errors > 0) throw new Error(`the load ended with ${phase?.errors} errors`);
  return phase;
}

export async function autocannon(url: string, ...args: string[]): Promise<AutocannonResult> {
  return JSON.parse(await start(AUTOCANNON, ['--json', ...args, `${url}/products`]).output);
}

/** @returns requests per second of undici's leanest interface, with nothing measured and nothing kept */
export async function undici(url: string, connections: number, seconds: number): Promise<number> {
  return Number(await start(UNDICI, [url, String(connections), String(seconds)]).output);
}

/** @returns requests per second, as wrk says at its end */
export async function wrk(url: string, connections: number, seconds: number): Promise<number> {
  const words = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, `${url}/products`];
  const output = await startProgram('wrk', words).output;
  const found = /Requests\/sec:\s*([\d.]+)/.exec(output)?.[1];
  if (found === undefined) throw new Error(`wrk did not say how many requests it sent: ${output}`);
  return Number(found);
}

/** @returns by how many ms a bare schedule misses its moments on the generators' core; with a URL, sending there */
export async function bareSchedule(
  ratePerSecond: number,
  seconds: number,
  url?: string,
): Promise<Readonly<Record<string, number>>> {
  const port = url === undefined ? [] : [new URL(url).port];
  return JSON.parse(await start(BARE_SCHEDULE, [String(ratePerSecond), String(seconds), ...port]).output);
}

function start(script: string, args: readonly string[]) {
  return startProgram(process.execPath, [script, ...args]);
}

/** `output` rejects when the process cannot be started or fails, with what it said. */
function startProgram(
  program: string,
  args: readonly string[],
): { child: ChildProcess; output: Promise<string> } {
  const child = spawn('taskset', ['-c', String(CLIENT_CORE), program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = new Promise<string>((resolve, reject) => {
    let text = '';
    let complaint = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`${[program, ...args].join(' ')} ended with ${code}: ${complaint.trim()}`));
    });
  });
  return { child, output };
}
