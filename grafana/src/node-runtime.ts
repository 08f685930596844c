// The Node processes behind the API: CPU, memory, event loop, garbage collection, resources, restarts.
import { inOrder, STATE_COLORS } from './colors.ts';
import { createDashboard } from './dashboard.ts';
import { COUNT, warnFrom } from './panel.ts';
import { lines, stat } from './panels.ts';
import { byProcess, CHOSEN } from './promql.ts';
import { runbook } from './runbook.ts';
import { cpu, eventLoopLate, memoryOfLimit, openConnections } from './saturation.ts';

const processes = [
  stat('Processes', {
    shows:
      'Node processes that Prometheus scrapes: one per replica, or the primary and each worker of a cluster.',
    investigate: 'if it differs from the configured number of replicas and workers.',
    seeAlso: `[Scrape health](/d/scrape-health), ${runbook('ApiReplicaDown')}.`,
    ...COUNT,
    queries: { processes: `count(nodejs_version_info{${CHOSEN}})` },
  }),
  stat('Node version', {
    shows: 'The versions of Node that the processes run.',
    investigate: 'if there is more than one version and no release is under way: a replica was not updated.',
    seeAlso:
      '`nodejs_version_info` in Prometheus, which has the version of each instance; for queries, [the runbook](/d/runbook).',
    unit: 'locale',
    show: 'name',
    queries: { '{{version}}': `count by (version) (nodejs_version_info{${CHOSEN}})` },
  }),
  stat('Youngest process', {
    shows: 'Time since the most recent start of a process.',
    investigate: 'if it is short and there was no release.',
    seeAlso: `the container's log, ${runbook('ApiRestarting')}.`,
    unit: 's',
    decimals: 0,
    queries: { age: `min(time() - process_start_time_seconds{${CHOSEN}})` },
  }),
  stat('Restarts in range', {
    shows:
      'Processes that restarted with the same address, or the same worker number. A replica with a new address is not counted, but the graphs mark its start.',
    investigate: 'if there are restarts and there was no release.',
    seeAlso: `the container's log, *Memory, share of limit*, ${runbook('ApiRestarting')}.`,
    ...COUNT,
    queries: {
      restarts: `sum(changes(process_start_time_seconds{${CHOSEN}}[$__range])) + (sum(resets(process_cpu_seconds_total{${CHOSEN}, worker=~"[0-9]+"}[$__range])) or vector(0))`,
    },
    thresholds: warnFrom(1, STATE_COLORS.watch),
  }),
];

const memoryKinds = {
  resident: 'process_resident_memory_bytes',
  'heap, reserved': 'nodejs_heap_size_total_bytes',
  'heap, used': 'nodejs_heap_size_used_bytes',
  external: 'nodejs_external_memory_bytes',
};

const memory = [
  memoryOfLimit,
  lines('Memory by kind, all replicas', {
    shows: 'Memory by kind, summed over the selected processes.',
    investigate:
      'if the low points of the used heap rise (a leak), or if resident memory grows while the heap does not (a leak outside the heap, such as buffers).',
    seeAlso: `*Garbage collection, mean of replicas* below, ${runbook('EventLoopBlocked')}.`,
    unit: 'bytes',
    softMax: 64 * 1024 * 1024,
    queries: Object.fromEntries(
      Object.entries(memoryKinds).map(([legend, metric]) => [legend, `sum(${metric}{${CHOSEN}})`]),
    ),
    colors: inOrder(...Object.keys(memoryKinds)),
  }),
  lines('Garbage collection, mean of replicas', {
    shows:
      'Share of time in each kind of collection, averaged over the selected processes. Minor collections are cheap and frequent.',
    investigate: 'if major collections take more than a few per cent: the heap is near its limit.',
    seeAlso: `*Memory by kind, all replicas*, ${runbook('EventLoopBlocked')}.`,
    unit: 'percentunit',
    legend: 'table',
    softMax: 0.01,
    stacked: true,
    queries: {
      '{{kind}}': `sum by (kind) (rate(nodejs_gc_duration_seconds_sum{${CHOSEN}}[$__rate_interval])) / on () group_left () count(nodejs_version_info{${CHOSEN}})`,
    },
    colors: inOrder('minor', 'major', 'incremental', 'weakcb'),
    noValue: 'No collections yet',
  }),
];

const resources = [
  lines('Active resources by type, all replicas', {
    shows:
      'Open sockets, timers and file requests, which keep event loops alive, summed over the selected processes.',
    investigate: 'if one type grows and never shrinks: the application does not close them.',
    seeAlso: `${runbook('RequestsStuck')}.`,
    ...COUNT,
    softMax: 10,
    stacked: true,
    queries: { '{{type}}': `sum by (type) (nodejs_active_resources{${CHOSEN}})` },
  }),
  lines('Open file descriptors', {
    shows: 'Open sockets and files of each process.',
    investigate:
      'if it is near the limit of the process (`process_max_fds`), beyond which new connections fail.',
    seeAlso: `*Active resources by type, all replicas*, ${runbook('RequestsStuck')}.`,
    ...COUNT,
    softMax: 10,
    queries: byProcess(`process_open_fds{${CHOSEN}}`),
  }),
];

export const nodeRuntime = createDashboard({
  uid: 'node-runtime',
  title: 'Node runtime',
  description:
    'The Node processes behind the API: is one of them running out of CPU, memory or event loop time?',
  choose: { metric: 'nodejs_version_info', labels: ['job', 'instance'] },
  from: 'now-15m',
  rows: [
    { title: 'Processes', panels: processes },
    { title: 'CPU and event loop', panels: [cpu, eventLoopLate] },
    { title: 'Memory', panels: [...memory, openConnections] },
    { title: 'Resources', panels: resources },
  ],
});
