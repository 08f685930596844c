// What a process runs out of first: panels that the dashboards Operations and Node runtime share.
import { EVENT_LOOP_LATE_LIMIT, MEMORY_LIMIT_MEBIBYTES } from './limits.ts';
import { COUNT, lineAt } from './panel.ts';
import { lines } from './panels.ts';
import { byProcess, CHOSEN } from './promql.ts';
import { runbook } from './runbook.ts';

export const eventLoopLate = lines('Event loop lag, share of time', {
  shows: 'Share of time in which the event loop was blocked, by process.',
  investigate:
    'if it is above the dashed line, where EventLoopBlocked fires: all requests of that process wait.',
  seeAlso: `*Garbage collection, mean of replicas* in [Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}.`,
  unit: 'percentunit',
  softMax: 0.25,
  queries: byProcess(`rate(nodejs_eventloop_late_seconds_total{${CHOSEN}}[$__rate_interval])`),
  ...lineAt(EVENT_LOOP_LATE_LIMIT),
});

export const cpu = lines('CPU, share of one core', {
  shows:
    'CPU use of each process. JavaScript runs on one core; use above 100 % comes from garbage collection and the thread pool.',
  investigate: 'if a line stays near 100 %: that process cannot handle more traffic, so add replicas.',
  seeAlso: `*Garbage collection, mean of replicas* in [Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}.`,
  unit: 'percentunit',
  softMax: 0.2,
  max: 4,
  queries: byProcess(`rate(process_cpu_seconds_total{${CHOSEN}}[$__rate_interval])`),
});

export const memoryOfLimit = lines('Memory, share of limit', {
  shows: `Resident memory of each replica as a share of its container's limit of ${MEMORY_LIMIT_MEBIBYTES} MiB.`,
  investigate: 'if it is near 100 %, where the kernel kills the process.',
  seeAlso: `*Memory by kind, all replicas* in [Node runtime](/d/node-runtime), ${runbook('ApiRestarting')}.`,
  unit: 'percentunit',
  softMax: 0.5,
  queries: {
    '{{instance}}': `sum by (instance) (process_resident_memory_bytes{${CHOSEN}}) / ${MEMORY_LIMIT_MEBIBYTES * 1024 * 1024}`,
  },
});

export const openConnections = lines('Open connections', {
  shows: 'TCP connections of each replica, active or idle.',
  investigate: 'if it grows and never shrinks: clients or handlers do not close their connections.',
  seeAlso: `*Open file descriptors* in [Node runtime](/d/node-runtime), ${runbook('RequestsStuck')}.`,
  ...COUNT,
  softMax: 10,
  queries: { '{{instance}}': `sum by (instance) (nodejs_active_resources{${CHOSEN}, type="TCPSocketWrap"})` },
});
