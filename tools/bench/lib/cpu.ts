/** Pins server and client to one core each, so that they do not compete, and reads the kernel's counters of both. */
import { readFileSync, writeFileSync } from 'node:fs';

export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;

/** Words before a command that run it on `core`; for root, with priority over all other programs on that core. */
export function onCore(core: number): readonly [string, ...string[]] {
  const pinned = ['taskset', '-c', String(core)] as const;
  return takePrecedence() ? ['nice', '-n', '-20', ...pinned] : pinned;
}

/** @returns whether this process and its later children may; its session then has priority over others, and niceness applies only within it */
export function takePrecedence(): boolean {
  try {
    writeFileSync('/proc/self/autogroup', '-20');
  } catch {
    // Only root may, and only on kernels with autogroups; on others niceness is sufficient.
  }
  return process.getuid?.() === 0;
}

/** Idle time of `core` so far, in ms (fields 4 and 5 of its line in /proc/stat, in hundredths of a second). */
export function idleMs(core: number): number {
  const line = new RegExp(`^cpu${core} .*$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[0] ?? '';
  const [idle, waiting] = line.split(' ').slice(4, 6).map(Number);
  return 10 * ((idle ?? 0) + (waiting ?? 0));
}

/**
 * CPU time of all terminated children so far, in ms (fields 16 and 17 of /proc/self/stat, in hundredths of a second). Unlike requests
 * per second, it hardly depends on other load of the machine.
 */
export function endedChildrenCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[13]) + Number(fields[14]));
}
