/** Calls the functions that the user gave as options: they run outside of Express, where what they throw ends the process. */
import { toText } from './exposition/family.ts';

/** @returns `warn`, of which nothing comes back: what fails to report has nowhere to be reported */
export function createReport(warn: (message: string) => unknown): (message: string) => void {
  return (message) => {
    try {
      ignore(warn(message));
    } catch {
      // See above.
    }
  };
}

/**
 * @param report is called once, with what came instead of a result of `type`
 * @returns `call`, with undefined for its result where it throws, rejects or returns another type
 */
export function guard<Argument, Result extends boolean | string>(
  call: (argument: Argument) => Result,
  type: 'boolean' | 'string',
  report: (got: string, argument: Argument) => void,
): (argument: Argument) => Result | undefined {
  let isReported = false;
  return (argument) => {
    let got: unknown;
    try {
      got = call(argument);
      if (typeof got === type) return got as Result;
      ignore(got);
    } catch (error) {
      got = error;
    }
    if (!isReported) report(toText(got ?? String(got)), argument);
    isReported = true;
    return undefined;
  };
}

/** A promise that rejects ends the process, unless something listens. */
function ignore(result: unknown): void {
  Promise.resolve(result).catch(() => undefined);
}
