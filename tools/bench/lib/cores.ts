/** Where the processes of a benchmark run: server and client have a core each, so that they do not take each other's time. */

import { writeFileSync } from 'node:fs';

export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;

/**
 * What stands before a command that is to run on `core`; as root before everything else that wants that core, since what the
 * machine does beside is not what is measured.
 */
export function onCore(core: number): readonly [string, ...string[]] {
  const pinned = ['taskset', '-c', String(core)] as const;
  return takePrecedence() ? ['nice', '-n', '-20', ...pinned] : pinned;
}

/** @returns whether this process may; its session then comes first among sessions, and niceness counts within it */
function takePrecedence(): boolean {
  try {
    writeFileSync('/proc/self/autogroup', '-20');
  } catch {
    // A kernel without such groups: niceness alone will do. Nobody but root may either.
  }
  return process.getuid?.() === 0;
}
