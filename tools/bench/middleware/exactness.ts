/**
 * What each way of instrumenting counts for requests that are easily counted wrongly. Every case runs in a process of its
 * own, since several of the packages keep their numbers for the whole process. @throws where this package is wrong
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { report } from '../lib/report.ts';
import { startServer } from '../lib/server-process.ts';
import { type Case, type Counts, cases } from './cases.ts';
import { packages, type VariantName, variantNames, variantOf, variants } from './variants.ts';

/** For counts to appear after the last answer; the numbers are read once they are all there, or after this time. */
const DEADLINE_MS = 1_000;
const POLL_MS = 20;

/** The counts of the duration histogram, whatever the variant calls its labels. */
function toCounts(exposition: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [, text = '', value] of exposition.matchAll(
    /^http_(?:server_)?request_duration(?:_seconds)?_count\{(.*)\} (\S+)$/gm,
  )) {
    const labels: Record<string, string> = {};
    for (const [, name = '', label = ''] of text.matchAll(/(\w+)="([^"]*)"/g)) labels[name] = label;
    const method = labels.method ?? labels.http_request_method ?? '';
    const path = labels.path ?? labels.route ?? labels.http_route ?? 'unmatched';
    const code = labels.code ?? labels.status_code ?? labels.http_response_status_code;
    const name = `${method.toLowerCase()} ${toTemplate(path)} ${code}`;
    counts[name] = (counts[name] ?? 0) + Number(value);
  }
  return counts;
}

/** express-prom-bundle writes `#val` for what looks like an identifier, prometheus-api-metrics `N/A` for no route. */
const toTemplate = (path: string) => (path === 'N/A' ? 'unmatched' : path.replace('#val', ':id'));

/** A scrape, where it is counted: which one case alone is about. */
const SCRAPED = 'get unmatched 200';

const notZero = (counts: Counts, kept: Counts = {}) =>
  Object.fromEntries(Object.entries(counts).filter(([name, count]) => count !== 0 || name in kept));

/** Whether `counts` has all of `expected`, and nothing else that is not 0. */
const isRight = (counts: Counts, expected: Counts) => isDeepStrictEqual(notZero(counts, expected), expected);

async function run(variant: VariantName, name: string, { send, expected }: Case): Promise<Counts> {
  const server = await startServer([variant, name], variantOf(variant).nodeOptions);
  await send(server.url, server.metricsUrl);
  const endMs = performance.now() + DEADLINE_MS;
  let counts: Record<string, number>;
  do {
    await sleep(POLL_MS);
    counts = toCounts(await (await fetch(server.metricsUrl)).text());
    if (name !== 'scrape') delete counts[SCRAPED];
  } while (!isRight(counts, expected) && performance.now() < endMs);
  await server.stop();
  return counts;
}

const compared = variantNames.filter((name) => name !== 'bare');
const rows: Record<string, string>[] = [];
const mistakes: string[] = [];
for (const [name, one] of Object.entries(cases)) {
  process.stderr.write(`${one.title}\n`);
  const row: Record<string, string> = { case: one.title };
  /** Titles of the variants, by what they count. */
  const wrong = new Map<string, string[]>();
  for (const variant of compared) {
    const { title } = variants[variant];
    const counts = await run(variant, name, one);
    const counted = toText(notZero(counts));
    const right = isRight(counts, one.expected);
    if (!right && variant === 'package') {
      throw new Error(`${one.title}: expected ${toText(one.expected)}, got ${counted}`);
    }
    row[title] = right ? '✓' : '✗';
    if (!right) wrong.set(counted, [...(wrong.get(counted) ?? []), title]);
  }
  rows.push(row);
  const others = [...wrong].map(([counted, titles]) => `${counted} by ${titles.join(', ')}`);
  mistakes.push(
    `- ${one.title}: ${toText(one.expected)} is right. ${others.length > 0 ? `Counted is ${others.join('; ')}.` : ''}`,
  );
}

function toText(counts: Counts): string {
  const entries = Object.entries(counts).map(([name, count]) => `\`${name}\` ${count}`);
  return entries.join(', ') || 'nothing';
}

const method = `${mistakes.join('\n')}\n\nEach case in a process of its own.`;
report('middleware-exactness', rows, method, packages);
