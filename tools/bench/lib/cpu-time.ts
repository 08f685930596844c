/** CPU time as the kernel counts it, in hundredths of a second. */
import { readFileSync } from 'node:fs';

/** Time in ms for which `core` had nothing to do so far (fields 4 and 5 of its line in /proc/stat, in hundredths of a second). */
export function idleMs(core: number): number {
  const line = new RegExp(`^cpu${core} .*$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[0] ?? '';
  const [idle, waiting] = line.split(' ').slice(4, 6).map(Number);
  return 10 * ((idle ?? 0) + (waiting ?? 0));
}

/**
 * CPU time of all ended children so far, in ms (fields 16 and 17 of /proc/self/stat, in hundredths of a second). It hardly
 * changes with what else the machine does, other than requests per second.
 */
export function endedChildrenCpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[13]) + Number(fields[14]));
}
