/** The ways in which a command can fail. Each error has an exit code, so that only `main.ts` turns an error into a process exit. */
import { isNativeError } from 'node:util/types';

export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

/** Wrong usage: a flag, a pattern name, a pattern file. The message is printed for the user unchanged. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly exitCode = EXIT.usage;
}

/** The target or Prometheus did not respond; the message contains the URL and the cause. */
export class UnreachableError extends Error {
  override readonly name: string = 'UnreachableError';
  readonly exitCode = EXIT.unreachable;
}

/** A check was impossible or failed, and no report can show the failure. */
export class CheckError extends Error {
  override readonly name: string = 'CheckError';
  readonly exitCode = EXIT.failed;
}

/** A run ended before its first request, for a reason other than Ctrl-C. */
export class NotSentError extends CheckError {}

/** Ctrl-C was pressed before there was a report that could show it. */
export class InterruptedError extends Error {
  override readonly name: string = 'InterruptedError';
  readonly exitCode = EXIT.interrupted;
}

export function hasExitCode(error: unknown): error is Error & { readonly exitCode: number } {
  return error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number';
}

/** For `catch`. @returns a function that throws an error with `what` failed and the reason */
export function failAs(Failure: typeof UsageError | typeof CheckError, what: string) {
  return (error: unknown): never => {
    throw new Failure(`${what}: ${reasonOf(error)}`);
  };
}

/** The code of a system error, for example `ENOENT`. */
export function codeOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}

/**
 * The innermost reason of an error. fetch and dns wrap the reason in `cause`; a failed connection to several addresses wraps it in
 * `errors`.
 */
export function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const inner: unknown =
    error.cause ?? ('errors' in error && Array.isArray(error.errors) ? error.errors[0] : undefined);
  return inner === undefined ? error.message : reasonOf(inner);
}
