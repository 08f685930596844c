#!/usr/bin/env node
/** The process: arguments, signals, exit code. No other file accesses them. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { debuglog } from 'node:util';
import { runCli } from './cli/command-line.ts';
import { createInterrupt } from './cli/interrupt.ts';
import { EXIT, hasExitCode, reasonOf } from './common/errors.ts';
import { hideCredentials } from './common/secrets.ts';
import type { Channel, FromWorker, ToWorker } from './run/worker.ts';
import type { WorkerProcess } from './run/worker-pool.ts';

const debug = debuglog('exact-load');
const interrupt = createInterrupt(() => process.exit(EXIT.interrupted));
const workers = new Set<ChildProcess>();

function startWorker(): WorkerProcess {
  const child = fork(fileURLToPath(import.meta.url), ['worker'], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  workers.add(child);
  child.on('exit', () => workers.delete(child));
  return {
    send: (message) => void (child.connected && child.send(message, () => {})),
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromWorker)),
    onExit(listener) {
      // Not `exit`, which may be emitted before the last message.
      child.on('close', (code, signal) => listener(signal ?? `exit code ${code}`));
      // A process that did not start emits no `close`. Other errors concern messages to a process that has just ended.
      child.on('error', (error) => void (child.pid === undefined && listener(error.message)));
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Resolves when the last message has been sent: closing the channel would drop waiting messages. */
let lastSent = Promise.resolve();

function openChannel(): Channel | undefined {
  if (process.send === undefined) return undefined;
  return {
    send(message) {
      if (!process.connected) return;
      lastSent = new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()));
    },
    onMessage(listener) {
      process.on('message', (message) => listener(message as ToWorker));
      process.once('disconnect', () => process.exit());
      if (!process.connected) process.exit();
    },
  };
}

function complain(text: string): void {
  process.stderr.write(`exact-load: ${hideCredentials(text)}\n`);
}

/** @returns the exit code */
function explain(error: unknown): number {
  if (hasExitCode(error)) {
    complain(error.message);
    return error.exitCode;
  }
  debug('%s', error);
  complain(`unexpected error: ${reasonOf(error)} (NODE_DEBUG=exact-load shows where)`);
  return EXIT.failed;
}

if (Number.parseInt(process.versions.node, 10) < 22) {
  complain(`expected Node 22.12 or newer, got ${process.version}`);
  process.exit(EXIT.usage);
}

let outputFailed = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader has closed the pipe (`exact-load list | head -1`), which is not a failure.
  if (error.code === 'EPIPE') return;
  outputFailed = true;
  complain(`cannot write to standard output: ${error.message}`);
});
process.stderr.on('error', () => {}); // There is nowhere left to report it.
process.on('SIGINT', interrupt.onSignal);
process.on('SIGTERM', interrupt.onSignal);
process.on('uncaughtException', (error) => process.exit(explain(error)));
process.on('exit', (code) => {
  for (const worker of workers) worker.kill('SIGKILL');
  if (outputFailed && code === EXIT.ok) process.exitCode = EXIT.failed;
});

try {
  process.exitCode = await runCli(process.argv.slice(2), {
    // A getter, because merely accessing standard input can keep the process alive.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: interrupt.signal,
    startWorker,
    channel: openChannel(),
  });
} catch (error) {
  process.exitCode = explain(error);
}
process.off('SIGINT', interrupt.onSignal);
process.off('SIGTERM', interrupt.onSignal);
await lastSent;
if (process.connected) process.disconnect();
