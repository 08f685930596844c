/**
 * What the stack costs when nobody uses it: scrapes, rules and health checks. Of a running stack, which should have no
 * traffic; where none is running, of one that is started for it.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describeMachine, report, type Table, toMarkdown } from '../lib/report.ts';
import { type Container, type ContainerUsage, containers, usageOf } from './engine.ts';

const quick = process.argv.includes('--quick');
const SECONDS = quick ? 15 : 60;
/** What `make up` has sent is counted, and rules have seen it. */
const SETTLE_SECONDS = 30;

const script = fileURLToPath(new URL('../../../scripts/stack.sh', import.meta.url));

interface Reading {
  readonly atSeconds: number;
  readonly usage: ContainerUsage;
}

async function read(container: Container): Promise<Reading> {
  const usage = await usageOf(container);
  return { atSeconds: performance.now() / 1000, usage };
}

/** `make up`, `make down`; what it says goes to standard error. @throws when it fails */
function stack(command: 'up' | 'down'): void {
  const { status } = spawnSync(script, [command], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`expected stack.sh ${command} to end with 0, got ${status}`);
}

async function watch(): Promise<{ all: Container[]; before: Reading[]; after: Reading[] }> {
  const all = (await containers()).sort((a, b) => a.service.localeCompare(b.service));
  const before = await Promise.all(all.map(read));
  process.stderr.write(`watching ${all.length} containers for ${SECONDS} s\n`);
  await sleep(SECONDS * 1000);
  return { all, before, after: await Promise.all(all.map(read)) };
}

async function started(): Promise<ReturnType<typeof watch>> {
  stack('up');
  try {
    await sleep(SETTLE_SECONDS * 1000);
    return await watch();
  } finally {
    stack('down');
  }
}

const running = await containers().catch((error: Error) => {
  process.stderr.write(`left out: ${error.message}\n`);
  process.exit(0);
});
const { all, before, after } = running.length > 0 ? await watch() : await started();

const used = all.map(({ service }, i) => {
  const [first, last] = [before[i], after[i]] as [Reading, Reading];
  return {
    service,
    core: (last.usage.cpuSeconds - first.usage.cpuSeconds) / (last.atSeconds - first.atSeconds),
    residentBytes: last.usage.residentBytes,
  };
});
const sum = {
  service: 'the whole stack',
  core: used.reduce((total, { core }) => total + core, 0),
  residentBytes: used.reduce((total, { residentBytes }) => total + residentBytes, 0),
};
const rows: Table = [...used, sum].map(({ service, core, residentBytes }) => ({
  service,
  'of one core': `${(100 * core).toFixed(2)} %`,
  'resident, MB': (residentBytes / 1e6).toFixed(0),
}));
report(
  'stack-idle',
  `${toMarkdown(rows)}

Figures of the containers' cgroups over ${SECONDS} s without traffic: Prometheus scrapes every 5 s and evaluates its rules, and each
service is asked for its health. ${describeMachine([])}. \`npm run bench:idle --workspace tools\``,
  quick,
);
