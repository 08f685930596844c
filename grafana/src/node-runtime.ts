// What the Node processes behind the API do: CPU, memory, event loop, garbage collection, resources, restarts.
import { createDashboard } from './dashboard.ts';
import { EVENT_LOOP_LATE_LIMIT } from './limits.ts';
import { lines, stat } from './panels.ts';

const node = 'job=~"$job", instance=~"$instance"';
const noProcess = 'No process is scraped';

const processes = [
  stat({
    title: 'Processes',
    description: 'Node processes that are scraped: one for each replica.',
    width: 6,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `count(nodejs_version_info{${node}})`, legend: 'processes' }],
    noValue: noProcess,
  }),
  stat({
    title: 'Node version',
    description:
      'Processes by version of Node. More than one version outside of a release is a forgotten replica.',
    width: 6,
    unit: 'none',
    decimals: 0,
    named: true,
    queries: [{ expr: `count by (version) (nodejs_version_info{${node}})`, legend: '{{version}}' }],
    noValue: noProcess,
  }),
  stat({
    title: 'Youngest process',
    description: 'Time since the last start among the processes.',
    width: 6,
    unit: 's',
    decimals: 0,
    queries: [{ expr: `min(time() - process_start_time_seconds{${node}})`, legend: 'age' }],
    noValue: noProcess,
  }),
  stat({
    title: 'Restarts in range',
    description:
      'Starts of a process at an address that was already known. A replica with a new address is not counted here, but marked on the graphs. Restarts that nobody asked for: look at the log of the container.',
    width: 6,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `sum(changes(process_start_time_seconds{${node}}[$__range]))`, legend: 'restarts' }],
    thresholds: [
      ['green', null],
      ['orange', 1],
    ],
    noValue: noProcess,
  }),
];

const cpuAndLoop = [
  lines({
    title: 'CPU of each process, in cores',
    description:
      'JavaScript runs on one core: a line that stays near 1 is a process that cannot take more traffic. Above 1 are garbage collection and the thread pool.',
    width: 12,
    height: 9,
    unit: 'none',
    decimals: 2,
    queries: [{ expr: `rate(process_cpu_seconds_total{${node}}[$__rate_interval])`, legend: '{{instance}}' }],
    thresholds: [
      ['green', null],
      ['red', 1],
    ],
    limit: true,
  }),
  lines({
    title: 'Event loop late, share of the time',
    description:
      'Share of the time by which turns of the event loop came late: at 100 % it never rests. A request that comes then waits. Above the dashed line EventLoopBlocked fires: look for synchronous work.',
    width: 12,
    height: 9,
    unit: 'percentunit',
    queries: [
      {
        expr: `rate(nodejs_eventloop_late_seconds_total{${node}}[$__rate_interval])`,
        legend: '{{instance}}',
      },
    ],
    thresholds: [
      ['green', null],
      ['red', EVENT_LOOP_LATE_LIMIT],
    ],
    limit: true,
  }),
];

const memory = [
  lines({
    title: 'Memory by kind',
    description:
      'All chosen processes together. A resident size that climbs with a flat heap is memory outside of the heap: buffers. A used heap whose low points climb is a leak.',
    width: 12,
    height: 9,
    unit: 'bytes',
    queries: [
      { expr: `sum(process_resident_memory_bytes{${node}})`, legend: 'resident' },
      { expr: `sum(nodejs_heap_size_total_bytes{${node}})`, legend: 'heap, reserved' },
      { expr: `sum(nodejs_heap_size_used_bytes{${node}})`, legend: 'heap, used' },
      { expr: `sum(nodejs_external_memory_bytes{${node}})`, legend: 'external' },
    ],
  }),
  lines({
    title: 'Time in garbage collection',
    description:
      'Share of wall time by kind of collection, the mean of the chosen processes. Minor ones are cheap and frequent. Major ones above a few per cent mean a heap near its limit.',
    width: 12,
    height: 9,
    unit: 'percentunit',
    decimals: 2,
    stacked: true,
    queries: [
      {
        expr: `sum by (kind) (rate(nodejs_gc_duration_seconds_sum{${node}}[$__rate_interval])) / scalar(count(nodejs_version_info{${node}}))`,
        legend: '{{kind}}',
      },
    ],
    noValue: 'No collection yet',
  }),
];

const resources = [
  lines({
    title: 'Active resources by type',
    description:
      'What keeps the event loop alive: sockets, timers, file requests. One type that only climbs is never closed.',
    width: 12,
    height: 9,
    unit: 'none',
    decimals: 0,
    stacked: true,
    queries: [{ expr: `sum by (type) (nodejs_active_resources{${node}})`, legend: '{{type}}' }],
  }),
  lines({
    title: 'Open file descriptors',
    description:
      'Sockets and files that each process holds open. At the limit of the process new connections are refused.',
    width: 12,
    height: 9,
    unit: 'none',
    decimals: 0,
    queries: [{ expr: `process_open_fds{${node}}`, legend: '{{instance}}' }],
  }),
];

export const nodeRuntime = createDashboard({
  uid: 'node-runtime',
  title: 'Node runtime',
  description:
    'The processes behind the API: is one of them short of CPU, memory, or time on its event loop?',
  metric: 'nodejs_version_info',
  variables: ['job', 'instance'],
  rows: [
    { title: 'Processes', panels: processes },
    { title: 'CPU and event loop', panels: cpuAndLoop },
    { title: 'Memory', panels: memory },
    { title: 'Resources', panels: resources },
  ],
});
