// What a process runs short of first: the panels that the page for the person on call and the one on Node share.
import { EVENT_LOOP_LATE_LIMIT, MEMORY_LIMIT_MEBIBYTES } from './limits.ts';
import { COUNT, lineAt } from './panel.ts';
import { lines } from './panels.ts';
import { byProcess, CHOSEN } from './promql.ts';
import { runbook } from './runbook.ts';

export const eventLoopLate = lines('Event loop late, share of the time', {
  shows: 'Share of the time by which turns of the event loop came late, by process: at 100 % it never rests.',
  investigate: 'if it is above the dashed line, where EventLoopBlocked fires: all requests wait.',
  seeAlso: `[Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}.`,
  unit: 'percentunit',
  softMax: 0.25,
  queries: byProcess(`rate(nodejs_eventloop_late_seconds_total{${CHOSEN}}[$__rate_interval])`),
  ...lineAt(EVENT_LOOP_LATE_LIMIT),
});

export const cpu = lines('CPU, share of one core', {
  shows:
    'Processor time of each process. JavaScript runs on one core; above 100 % are garbage collection and the thread pool.',
  investigate: 'if a line stays near 100 %: that process cannot take more traffic.',
  seeAlso: `[Node runtime](/d/node-runtime), ${runbook('EventLoopBlocked')}; add replicas.`,
  unit: 'percentunit',
  softMax: 0.2,
  max: 4,
  queries: byProcess(`rate(process_cpu_seconds_total{${CHOSEN}}[$__rate_interval])`),
});

export const memoryOfLimit = lines('Memory, share of the limit', {
  shows: `Resident memory of each replica, of the ${MEMORY_LIMIT_MEBIBYTES} MiB that its container may use.`,
  investigate: 'if it is near 100 %, where the kernel kills the process.',
  seeAlso: '[Node runtime](/d/node-runtime) says which kind of memory.',
  unit: 'percentunit',
  softMax: 0.5,
  queries: {
    '{{instance}}': `sum by (instance) (process_resident_memory_bytes{${CHOSEN}}) / ${MEMORY_LIMIT_MEBIBYTES * 1024 * 1024}`,
  },
});

export const openConnections = lines('Open connections', {
  shows: 'TCP connections that each replica holds open, busy or not.',
  investigate: 'if it climbs and never falls: clients or handlers do not close.',
  seeAlso: `*Open file descriptors* in [Node runtime](/d/node-runtime), ${runbook('RequestsStuck')}.`,
  ...COUNT,
  softMax: 10,
  queries: { '{{instance}}': `sum by (instance) (nodejs_active_resources{${CHOSEN}, type="TCPSocketWrap"})` },
});
