/** What other generators and curl call a flag of this one: an unknown flag gets an answer that helps. */
import type { Command } from 'commander';

/** By the flag here. */
const OTHERS: Readonly<Record<string, string>> = {
  '-X': '-m --request',
  '-H': '-A --user-agent -u --user',
  "-H 'Content-Type: ...'": '-T',
  '-b': '--data --data-raw --data-binary --data-ascii',
  '-b @file': '-i --input -D -F --form',
  '-n': '-a --amount',
  '-r': '-R --overallRate --connectionRate',
  '-d': '-z',
  '-c': '-max-connections -max-workers',
  '--workers': '-w',
  '--cacert': '-root-certs --ca',
  '--cert': '-E',
  '--timeout': '-t --max-time --connect-timeout',
  '-j': '-o -output --output',
};

const HERE = new Map(
  Object.entries(OTHERS).flatMap(([here, others]) => others.split(' ').map((other) => [other, here])),
);

/** @returns the message of commander; where a flag of another program is unknown, with the one that does the same here */
export function suggest(message: string): string {
  const [all, flag = ''] = /^error: unknown option '(-[^'=]*).*$/m.exec(message) ?? [];
  const here = HERE.get(flag);
  return all === undefined || here === undefined ? message : `${all}\n(Did you mean ${here}?)\n`;
}

/**
 * Vegeta's flags have one dash: `-body=x` would be `-b ody=x`, and be sent.
 * @returns the first argument that is a long flag but for its second dash, and that flag
 */
export function findSingleDash(
  args: readonly string[],
  { options }: Command,
): { argument: string; flag: string } | undefined {
  const end = args.indexOf('--');
  for (const argument of end < 0 ? args : args.slice(0, end)) {
    const flag = `-${argument.replace(/=.*/s, '')}`;
    if (/^--[a-z]{2}/.test(flag) && options.some(({ long }) => long === flag)) return { argument, flag };
  }
  return undefined;
}
