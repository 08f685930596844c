/** Calls the functions that the user gave as options: they run outside of Express, where what they throw ends the process. */
import { toText } from './exposition/family.ts';

/** So much of a wrong result is part of a warning. */
const MAX_SHOWN = 200;

/** @returns `warn`, of which nothing comes back: what fails to report has nowhere to be reported */
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
 * @param report is called once, with the wrong result or the error
 * @returns `call`, whose result is undefined if it throws, rejects or returns anything else
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
    if (!isReported) report(toText(got ?? String(got)).slice(0, MAX_SHOWN), argument);
    isReported = true;
    return undefined;
  };
}

export const isBoolean = (got: unknown): got is boolean => typeof got === 'boolean';

/** A promise that rejects ends the process unless something awaits it, also one that was thrown. */
async function ignore(result: unknown): Promise<void> {
  try {
    await result;
  } catch {
    // What was wrong is reported already, or cannot be.
  }
}
