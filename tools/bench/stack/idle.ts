/**
 * The cost of the stack without traffic: scrapes, rules and health checks. Measures the running stack, which should have no traffic, or
 * starts one.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { getContainerRuntimeClient } from 'testcontainers';
import { quick, report } from '../lib/report.ts';

const SECONDS = quick ? 15 : 60;
/** Time for the rules to evaluate the traffic of `make up`. */
const SETTLE_SECONDS = 30;

const project = process.env.COMPOSE_PROJECT_NAME ?? 'observability-stack';

/** Resource use of a container since it started, including health checks. */
interface Usage {
  readonly service: string;
  readonly cpuSeconds: number;
  /** Memory of its processes, without cached files. */
  readonly residentBytes: number;
  readonly atSeconds: number;
}

const engine = await getContainerRuntimeClient().catch((error: Error) => {
  process.stderr.write(`left out: ${error.message}\n`);
  process.exit(0);
});

/** Values from the cgroups of the stack's running containers, in the order of the services. */
async function usages(): Promise<Usage[]> {
  const { dockerode } = engine.container;
  const found = await dockerode.listContainers({
    filters: { label: [`com.docker.compose.project=${project}`], status: ['running'] },
  });
  const read = found.map(async ({ Id, Labels }) => {
    const words = { stream: false, 'one-shot': true } as const;
    const { cpu_stats, memory_stats } = await dockerode.getContainer(Id).stats(words);
    // The first name is that of cgroups version 1, the second that of version 2.
    const { total_rss, anon }: { total_rss?: number; anon?: number } = memory_stats.stats;
    return {
      service: Labels['com.docker.compose.service'] ?? Id,
      cpuSeconds: cpu_stats.cpu_usage.total_usage / 1e9,
      residentBytes: total_rss ?? anon ?? Number.NaN,
      atSeconds: performance.now() / 1000,
    };
  });
  return (await Promise.all(read)).sort((a, b) => a.service.localeCompare(b.service));
}

/** Runs `make up` or `make down` with its output on standard error. @throws if it fails */
function stack(command: 'up' | 'down'): void {
  const script = fileURLToPath(new URL('../../../scripts/stack.sh', import.meta.url));
  const { status } = spawnSync(script, [command], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`expected stack.sh ${command} to end with 0, got ${status}`);
}

const isRunning = (await usages()).length > 0;
if (!isRunning) {
  stack('up');
  await sleep(SETTLE_SECONDS * 1000);
}
const before = await usages();
process.stderr.write(`watching ${before.length} containers for ${SECONDS} s\n`);
await sleep(SECONDS * 1000);
const after = await usages();
if (!isRunning) stack('down');

const used = after.map(({ service, cpuSeconds, residentBytes, atSeconds }, i) => {
  const first = before[i] as Usage;
  const core = (cpuSeconds - first.cpuSeconds) / (atSeconds - first.atSeconds);
  return { service, core, residentBytes };
});
const total = used.reduce((sum, one) => ({
  service: 'the whole stack',
  core: sum.core + one.core,
  residentBytes: sum.residentBytes + one.residentBytes,
}));
const rows = [...used, total].map(({ service, core, residentBytes }) => ({
  service,
  'of one core': `${(100 * core).toFixed(2)} %`,
  'resident, MB': (residentBytes / 1e6).toFixed(0),
}));
report(
  'stack-idle',
  rows,
  `From the containers' cgroups, over ${SECONDS} s without traffic: Prometheus scrapes every 5 s and evaluates its rules, and each service has its health
checks.`,
);
