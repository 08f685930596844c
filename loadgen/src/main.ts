/** The process: arguments, signals, exit code. Nothing else of the generator touches them. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runCli } from './cli/command-line.ts';
import { createInterrupt } from './cli/interrupt.ts';
import { CheckError, EXIT, UnreachableError, UsageError } from './common/errors.ts';
import type { WorkerProcess } from './run/crew.ts';
import type { Channel, FromWorker, ToWorker } from './run/worker.ts';

const interrupt = createInterrupt(() => process.exit(EXIT.interrupted));

function startWorker(): WorkerProcess {
  const child = fork(fileURLToPath(import.meta.url), ['worker'], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  // One that has just ended is told of by its exit.
  child.on('error', () => {});
  return {
    send: (message) => void (child.connected && child.send(message, () => {})),
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromWorker)),
    onExit: (listener) => void child.on('exit', (code, signal) => listener(signal ?? `exit code ${code}`)),
  };
}

function openChannel(): Channel | undefined {
  if (process.send === undefined) return undefined;
  return {
    send: (message) => void (process.connected && process.send?.(message)),
    onMessage: (listener) => void process.on('message', (message) => listener(message as ToWorker)),
    onClose: (listener) => void process.on('disconnect', listener),
  };
}

// Whoever reads has seen enough (`loadgen list | head -1`); that is no reason for a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.on('SIGINT', interrupt.onSignal);
process.on('SIGTERM', interrupt.onSignal);

try {
  process.exitCode = await runCli(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupt.signal,
    startWorker,
    channel: openChannel(),
  });
} catch (error) {
  if (interrupt.signal.aborted) process.exitCode = EXIT.interrupted;
  else if (error instanceof UsageError || error instanceof UnreachableError || error instanceof CheckError) {
    process.stderr.write(`loadgen: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else throw error;
}
process.off('SIGINT', interrupt.onSignal);
process.off('SIGTERM', interrupt.onSignal);
if (process.connected) process.disconnect();
