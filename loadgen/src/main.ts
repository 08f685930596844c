/** The process: arguments, signals, exit code. Nothing else of the generator touches them. */
import { runCli } from './cli.ts';
import { CheckError, EXIT, UnreachableError, UsageError } from './errors.ts';

const interrupt = new AbortController();
let signals = 0;

function onSignal(): void {
  signals++;
  if (signals > 1) process.exit(EXIT.interrupted);
  interrupt.abort();
}

// Whoever reads has seen enough (`loadgen list | head -1`); that is no reason for a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);

try {
  process.exitCode = await runCli(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupt.signal,
  });
} catch (error) {
  if (interrupt.signal.aborted) process.exitCode = EXIT.interrupted;
  else if (error instanceof UsageError || error instanceof UnreachableError || error instanceof CheckError) {
    process.stderr.write(`loadgen: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else throw error;
}
process.off('SIGINT', onSignal);
process.off('SIGTERM', onSignal);
