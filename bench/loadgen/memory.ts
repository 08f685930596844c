/** The resident size of the generator over a million requests, looked at from outside while it runs. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine, report, toMarkdown } from '../lib/report.ts';
import { startServer } from '../lib/server-process.ts';
import { startLoadgen } from './generators.ts';

const quick = process.argv.includes('--quick');
const LANDMARKS = quick ? [10_000, 100_000] : [10_000, 100_000, 500_000, 1_000_000];

const server = await startServer(new URL('./bare-server.ts', import.meta.url).pathname);
const pattern = new URL('./million.yaml', import.meta.url).pathname;
const { child, output } = startLoadgen(server.url, ['--connections', '32'], pattern);
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

const rows: Record<string, string>[] = [];
let highest = 0;
let last = Number.NaN;
for (const requests of LANDMARKS) {
  // The process ends right after its last request: what it had shortly before is what counts for that landmark.
  while (!isOver && (await server.ask<number>('count')) < requests) {
    await sleep(20);
    try {
      last = residentMegabytes();
    } catch {
      break;
    }
    highest = Math.max(highest, last);
  }
  rows.push({ requests: requests.toLocaleString('en-US'), 'resident size': `${last.toFixed(0)} MB` });
}
rows.push({ requests: 'highest', 'resident size': `${highest.toFixed(0)} MB` });
if (quick) child.kill('SIGINT');
await report$;
await server.stop();
report(
  'loadgen-memory',
  `${toMarkdown(rows)}

One run of a million requests over 32 connections as fast as they go, ledger and percentiles on. ${describeMachine([])}.
\`npm run bench:loadgen-memory --workspace bench\``,
  quick,
);
