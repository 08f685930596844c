/** Calls the functions that users pass as options: they run outside of Express, where an error would end the process. */
import { toText } from './exposition/family.ts';

/** The maximum length of a wrong result in a warning. */
const MAX_SHOWN = 200;

/** @returns a function that calls `warn` and ignores its failures, because there is no place to report them */
export function createReport(warn: (message: string) => unknown): (message: string) => void {
  return (message) => {
    try {
      ignore(warn(message));
    } catch (error) {
      ignore(error);
    }
  };
}

/**
 * @param report called once, with the wrong result or the error
 * @returns a function that calls `call` and returns undefined if it throws, rejects or returns anything else
 */
export function guard<Argument, Result>(
  call: (argument: Argument) => Result,
  isResult: (got: unknown) => got is Result,
  report: (got: string, argument: Argument) => void,
): (argument: Argument) => Result | undefined {
  let isReported = false;
  return (argument) => {
    let got: unknown;
    try {
      got = call(argument);
      if (isResult(got)) return got;
    } catch (error) {
      got = error;
    }
    ignore(got);
    if (!isReported) report(show(got).slice(0, MAX_SHOWN), argument);
    isReported = true;
    return undefined;
  };
}

function show(got: unknown): string {
  const text = toText(got ?? String(got));
  try {
    return text === '[object Object]' ? (JSON.stringify(got) ?? text) : text;
  } catch {
    return text;
  }
}

export const isBoolean = (got: unknown): got is boolean => typeof got === 'boolean';

/** Awaits a promise, even a thrown one: an unhandled rejection would end the process. */
async function ignore(result: unknown): Promise<void> {
  try {
    await result;
  } catch {
    // The error is already reported, or cannot be.
  }
}
