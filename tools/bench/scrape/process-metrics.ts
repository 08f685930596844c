/**
 * What each of the library's default metrics costs at a scrape. Several families share the work of the first of their
 * group (its name ends the group before it), so they are timed as the library collects them: in order, one by one.
 */
import express from 'express';
import { instrument } from 'express-exact-metrics';
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';

const quick = process.argv.includes('--quick');
const REPEATS = quick ? 200 : 2_000;

/** Families whose collectors do their work, and what that is; the rest only hand out numbers. */
const groups: Readonly<Record<string, string>> = {
  process_cpu_user_seconds_total: 'CPU time (one system call)',
  process_start_time_seconds: 'start time',
  process_resident_memory_bytes: 'memory: reads and parses /proc/self/status',
  process_open_fds: 'file descriptors: lists /proc/self/fd',
  process_max_fds: 'limit of file descriptors',
  nodejs_active_resources: 'active resources: one entry for each connection and timer',
  nodejs_heap_size_total_bytes: 'heap size: process.memoryUsage()',
  nodejs_heap_space_size_total_bytes: 'heap spaces',
  nodejs_version_info: 'version',
  nodejs_gc_duration_seconds: 'garbage collections (observed as they happen)',
  nodejs_eventloop_active_seconds_total: 'event-loop utilization',
};

const { registry } = instrument(express());
const families = registry.getMetricsAsArray();
const micros = new Map<string, number[]>(Object.keys(groups).map((name) => [name, []]));
for (let i = 0; i < REPEATS; i++) {
  let group = '';
  let spent = 0;
  for (const { name } of families) {
    const metric = registry.getSingleMetric(name);
    if (!metric) throw new Error(`${name} is not registered`);
    const start = performance.now();
    await metric.get();
    const elapsed = (performance.now() - start) * 1000;
    if (name in groups) {
      micros.get(group)?.push(spent);
      group = name;
      spent = 0;
    }
    spent += elapsed;
  }
  micros.get(group)?.push(spent);
}
const rows = Object.entries(groups).map(([name, work]) => ({
  work,
  'µs a scrape': median(micros.get(name) ?? []).toFixed(1),
}));
report(
  'scrape-process-metrics',
  `${toMarkdown(rows)}

Medians of ${REPEATS} scrapes of an idle process. ${describeMachine(['prom-client'])}. \`npm run bench:process-metrics --workspace tools\``,
  quick,
);
process.exit();
