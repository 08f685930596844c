/**
 * The mapping: which metrics of a service count its requests, and which of their labels are route, method and code. The
 * verification knows no other metric names; `presets.ts` contains the mappings of well-known libraries.
 */
import { z } from 'zod';

const metricName = z.string().regex(/^[a-zA-Z_:][\w:]*$/, 'expected a metric name');
const label = z
  .string()
  .regex(/^[a-zA-Z_]\w*$/, 'expected a label name')
  .optional();

const counterSchema = z.strictObject({
  name: metricName.meta({
    description: 'The name of a counter, of the _count of a classic histogram, or of a native histogram.',
  }),
  route: label,
  method: label,
  code: label,
  methodCase: z.enum(['upper', 'lower']).default('upper'),
  codeAs: z.enum(['code', 'class']).default('code').meta({ description: 'class: 2xx instead of 201.' }),
  counts: z.enum(['all', 'routed', 'errors']).default('all').meta({
    description:
      'The requests that it counts: all, those handled by a route, or those with status 400 and above.',
  }),
});

export const metricsSchema = z
  .strictObject({
    counters: z.array(counterSchema),
    unmatched: z.string().default('').meta({
      description: 'The route label of requests that matched no route; empty if they have no such label.',
    }),
    headAsGet: z.boolean().default(false).meta({ description: 'Whether HEAD is counted as GET.' }),
    ignoreRoutes: z.array(z.string()).default([]).meta({
      description:
        'Route labels of other traffic, for example scrapes and health checks: their series are not compared.',
    }),
    inProgress: metricName.optional().meta({ description: 'A gauge that is 0 without requests.' }),
    drained: metricName.optional().meta({
      description: 'A gauge that becomes 1 when a terminating process will count no more requests.',
    }),
    startTime: metricName
      .nullable()
      .optional()
      .meta({
        description:
          'A metric that changes when a process restarts: process_start_time_seconds (the default if the service has ' +
          'it), or the _created of a counter. Null for none: then only a counter that drops reveals a restart.',
      }),
  })
  .meta({ description: 'The metrics that count requests, and their labels.' });

/** The format in which users write the mapping. */
export const mappingSchema = metricsSchema
  .refine(({ counters }) => counters.length > 0, 'expected at least one counter')
  .refine(({ counters, inProgress, drained, startTime }) => {
    const names = [...counters.map(({ name }) => name), inProgress, drained, startTime].filter(
      (name) => name != null,
    );
    return new Set(names).size === names.length;
  }, 'expected each metric once');

export type MetricsInput = z.input<typeof metricsSchema>;
export type Metrics = z.output<typeof metricsSchema>;
export type Counter = Metrics['counters'][number];

/** For a service that exposes no such metrics yet. */
export const NO_METRICS: Metrics = metricsSchema.parse({ counters: [] });

export const START_TIME = 'process_start_time_seconds';

/** Whether processes are identified only by their target: a _created metric belongs to a series and has its labels. */
export function isByTarget({ startTime }: Metrics): boolean {
  return startTime == null || startTime.endsWith('_created');
}

/** The metrics to compare. */
export interface MetricsChoice {
  /** A mapping, the name of a preset, or `auto`. */
  readonly metrics: Metrics | string;
  /** Routes to ignore in addition to those of the mapping. */
  readonly ignoreRoutes: readonly string[];
}

export const AUTO: MetricsChoice = { metrics: 'auto', ignoreRoutes: [] };

export function withIgnored(choice: MetricsChoice, routes: readonly string[] = []): MetricsChoice {
  return { ...choice, ignoreRoutes: [...choice.ignoreRoutes, ...routes] };
}

/** The properties of a request that counters use. */
export interface Counted {
  /** Null if the target declares none. */
  readonly route: string | null;
  readonly method: string;
  readonly code?: string | undefined;
}

/** The meanings of the labels that the service sets, in the order of display. */
export const DIMENSIONS = ['route', 'method', 'code'] as const;

/** The labels of a counter for a request. As in Prometheus, an empty label is equivalent to a missing one. */
export function labelsOf(counter: Counter, { unmatched, headAsGet }: Metrics, request: Counted) {
  const { route, code } = request;
  const method = headAsGet && request.method.toUpperCase() === 'HEAD' ? 'GET' : request.method;
  const values = {
    route: route === '' ? unmatched : route,
    method: counter.methodCase === 'lower' ? method.toLowerCase() : method.toUpperCase(),
    code: counter.codeAs === 'class' ? code?.replace(/^(\d)\d\d$/, '$1xx') : code,
  };
  return pickLabels(counter, (dimension) => values[dimension]);
}

/** The labels of a sample that the mapping names. Other labels describe where a request was counted, and are summed over. */
export function ownLabelsOf(counter: Counter, labels: Readonly<Record<string, string>>) {
  return pickLabels(counter, (_, label) => labels[label]);
}

function pickLabels(
  counter: Counter,
  read: (dimension: (typeof DIMENSIONS)[number], label: string) => string | null | undefined,
): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const dimension of DIMENSIONS) {
    const label = counter[dimension];
    const value = label === undefined ? undefined : read(dimension, label);
    if (label !== undefined && value) labels[label] = value;
  }
  return labels;
}

/** Whether a counter counts a request, or may count it if its code is unknown. */
export function isCountedBy({ counts }: Counter, { unmatched }: Metrics, { route, code }: Counted): boolean {
  if (counts === 'errors') return code === undefined || Number(code) >= 400;
  return counts === 'all' || (route !== '' && (route === null || route !== unmatched));
}

/** The counter of all requests; undefined if every counter omits some. */
export function wholeCounterOf({ counters }: Metrics): Counter | undefined {
  return counters.find(({ counts }) => counts === 'all');
}

/** The errors that a comparison of these metrics cannot detect. */
export function weaknessesOf({ counters, inProgress, startTime }: Metrics): string[] {
  const has = (is: (counter: Counter) => boolean) => counters.some(is);
  return [
    !has(({ route }) => route !== undefined) &&
      'no counter has a route label: a request counted under a wrong route is not detected',
    !has(({ method }) => method !== undefined) &&
      'no counter has a method label: a request counted under a wrong method is not detected',
    !has(({ code }) => code !== undefined) &&
      'no counter has a code label: a request counted under a wrong status is not detected',
    has(({ code }) => code !== undefined) &&
      !has(({ code, codeAs }) => code !== undefined && codeAs === 'code') &&
      'codes are counted by class: a 201 counted as 200 is not detected',
    inProgress === undefined && 'no gauge of requests in progress: a request that never ends is not detected',
    startTime == null && 'no start time: a restart between two scrapes is detected only if a counter drops',
  ].filter((text) => text !== false);
}
