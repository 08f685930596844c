/** The resident size of the generator over a million requests and the page at their end, looked at from outside while it runs. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine, report, toMarkdown } from '../lib/report.ts';
import { startServer } from '../lib/server-process.ts';
import { startLoadgen } from './generators.ts';

const quick = process.argv.includes('--quick');
const LANDMARKS = quick ? [10_000, 100_000] : [10_000, 100_000, 500_000, 1_000_000];

const server = await startServer(new URL('./bare-server.ts', import.meta.url).pathname);
const pattern = new URL('./million.yaml', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'bench-memory-'));
const page = join(folder, 'report.html');
let highest = 0;
let last = Number.NaN;
const { child, output } = startLoadgen(server.url, ['--connections', '32', '--html', page], pattern);
let isOver = false;
const report$ = output.then((text) => {
  isOver = true;
  return text;
});

/** taskset replaces itself with the generator, so the child's number is the generator's. */
function residentMegabytes(): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1000;
}

/** Looks, unless the process has just gone. */
function note(): void {
  try {
    last = residentMegabytes();
    highest = Math.max(highest, last);
  } catch {
    isOver = true;
  }
}

const rows: Record<string, string>[] = [];
for (const requests of LANDMARKS) {
  // The process ends right after its last request: what it had shortly before is what counts for that landmark.
  while (!isOver && (await server.ask<number>('count')) < requests) {
    await sleep(20);
    note();
  }
  rows.push({ requests: requests.toLocaleString('en-US'), 'resident size': `${last.toFixed(0)} MB` });
}
if (quick) child.kill('SIGINT');
for (; !isOver; await sleep(20)) note();
rows.push({ requests: 'at the end, the page written', 'resident size': `${last.toFixed(0)} MB` });
rows.push({ requests: 'highest', 'resident size': `${highest.toFixed(0)} MB` });
await report$;
const pageBytes = statSync(page).size;
rmSync(folder, { recursive: true });
await server.stop();
report(
  'loadgen-memory',
  `${toMarkdown(rows)}

One run of a million requests over 32 connections as fast as they go, ledger and percentiles on, with \`--html\` (the page is ${(pageBytes / 1000).toFixed(0)} kB). ${describeMachine([])}.
\`npm run bench:loadgen-memory --workspace tools\``,
  quick,
);
