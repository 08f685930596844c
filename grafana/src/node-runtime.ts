// What the Node processes behind the API do: CPU, memory, event loop, garbage collection, resources, restarts.
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
      'Node processes that are scraped: one for each replica; of a cluster, the primary and each worker.',
    investigate: 'if it is not the number of replicas, and workers, that you asked for.',
    seeAlso: `[Scrape health](/d/scrape-health), ${runbook('ApiReplicaDown')}.`,
    ...COUNT,
    queries: { processes: `count(nodejs_version_info{${CHOSEN}})` },
  }),
  stat('Node version', {
    shows: 'The versions of Node that the processes run.',
    investigate: 'if there is more than one version outside of a release: a forgotten replica.',
    seeAlso: '*Youngest process*, then the container of that replica; see [the runbook](/d/runbook).',
    unit: 'locale',
    show: 'name',
    queries: { '{{version}}': `count by (version) (nodejs_version_info{${CHOSEN}})` },
  }),
  stat('Youngest process', {
    shows: 'Time since the last start among the processes.',
    investigate: 'if it is short without a release.',
    seeAlso: `the container's log, ${runbook('ApiDown')}.`,
    unit: 's',
    decimals: 0,
    queries: { age: `min(time() - process_start_time_seconds{${CHOSEN}})` },
  }),
  stat('Restarts in range', {
    shows:
      'Starts of a process at an address, or of a worker with a number, that was already known. A replica with a new address is not counted here, but marked on the graphs.',
    investigate: 'if there are restarts without a release.',
    seeAlso: `the container's log, *Memory, share of the limit*, ${runbook('ApiReplicaDown')}.`,
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
    shows: 'Memory of all chosen processes together, by kind.',
    investigate:
      'if the resident size climbs over a flat heap (memory outside of the heap, buffers), or the low points of the used heap climb (a leak).',
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
      'Share of wall time by kind of collection, the mean of all chosen processes. Minor ones are cheap and frequent.',
    investigate: 'if major ones take more than a few per cent: the heap is near its limit.',
    seeAlso: `*Memory by kind, all replicas*, ${runbook('EventLoopBlocked')}.`,
    unit: 'percentunit',
    legend: 'table',
    softMax: 0.01,
    stacked: true,
    queries: {
      '{{kind}}': `sum by (kind) (rate(nodejs_gc_duration_seconds_sum{${CHOSEN}}[$__rate_interval])) / on () group_left () count(nodejs_version_info{${CHOSEN}})`,
    },
    colors: inOrder('minor', 'major', 'incremental', 'weakcb'),
    noValue: 'No collection yet',
  }),
];

const resources = [
  lines('Active resources by type, all replicas', {
    shows: 'What keeps the event loops of all chosen processes alive: sockets, timers, file requests.',
    investigate: 'if one type only climbs: it is never closed.',
    seeAlso: `${runbook('RequestsStuck')}.`,
    ...COUNT,
    softMax: 10,
    stacked: true,
    queries: { '{{type}}': `sum by (type) (nodejs_active_resources{${CHOSEN}})` },
  }),
  lines('Open file descriptors', {
    shows: 'Sockets and files that each process holds open.',
    investigate:
      'if it is near the limit of the process (`process_max_fds`), where new connections are refused.',
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
    'The processes behind the API: is one of them short of CPU, memory, or time on its event loop?',
  choose: { metric: 'nodejs_version_info', labels: ['job', 'instance'] },
  from: 'now-15m',
  rows: [
    { title: 'Processes', panels: processes },
    { title: 'CPU and event loop', panels: [cpu, eventLoopLate] },
    { title: 'Memory', panels: [...memory, openConnections] },
    { title: 'Resources', panels: resources },
  ],
});
