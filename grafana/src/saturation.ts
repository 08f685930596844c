// What a process runs short of first: the panels that the page for the person on call and the one on Node share.
import { STATE_COLORS } from './colors.ts';
import { EVENT_LOOP_LATE_LIMIT, MEMORY_LIMIT_BYTES } from './limits.ts';
import { lines } from './panels.ts';
import { CHOSEN } from './promql.ts';
import { runbook } from './runbook.ts';

const perReplica = { width: 12, legend: 'list' } as const;

export const eventLoopLate = lines({
  ...perReplica,
  title: 'Event loop late, share of the time',
  shows: 'Share of the time by which turns of the event loop came late, by replica: at 100 % it never rests.',
  worry: 'above the dashed line, where EventLoopBlocked fires: every request that comes then waits.',
  next: `[Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}.`,
  unit: 'percentunit',
  softMax: 0.25,
  queries: [
    {
      expr: `rate(nodejs_eventloop_late_seconds_total{${CHOSEN}}[$__rate_interval])`,
      legend: '{{instance}}',
    },
  ],
  thresholds: [
    ['transparent', null],
    [STATE_COLORS.bad, EVENT_LOOP_LATE_LIMIT],
  ],
  limit: true,
});

export const cpu = lines({
  ...perReplica,
  title: 'CPU, share of one core',
  shows:
    'Processor time of each replica. JavaScript runs on one core; above 100 % are garbage collection and the thread pool.',
  worry: 'where a line stays near 100 %: that process cannot take more traffic.',
  next: `[Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}; add replicas.`,
  unit: 'percentunit',
  softMax: 0.2,
  max: 4,
  queries: [{ expr: `rate(process_cpu_seconds_total{${CHOSEN}}[$__rate_interval])`, legend: '{{instance}}' }],
});

export const memoryOfLimit = lines({
  ...perReplica,
  title: 'Memory, share of the limit',
  shows: `Resident memory of each replica, of the ${MEMORY_LIMIT_BYTES / 1024 / 1024} MiB that its container may use.`,
  worry: 'near 100 %: the engine kills the process there.',
  next: '[Node runtime](/d/node-runtime) says which kind of memory.',
  unit: 'percentunit',
  softMax: 0.5,
  queries: [
    { expr: `process_resident_memory_bytes{${CHOSEN}} / ${MEMORY_LIMIT_BYTES}`, legend: '{{instance}}' },
  ],
});

export const openConnections = lines({
  ...perReplica,
  title: 'Open connections',
  shows: 'TCP connections that each replica holds open, busy or not.',
  worry: 'where it climbs and never falls: clients or handlers do not close.',
  next: `*Open file descriptors* in [Node runtime](/d/node-runtime), ${runbook('RequestsStuck')}.`,
  unit: 'locale',
  decimals: 0,
  softMax: 10,
  queries: [
    {
      expr: `sum by (instance) (nodejs_active_resources{${CHOSEN}, type="TCPSocketWrap"})`,
      legend: '{{instance}}',
    },
  ],
});
