/**
 * The format of traffic patterns, both built-in ones and pattern files. The JSON Schema for editors (loadgen/pattern.schema.json)
 * is generated from it.
 */
import { z } from 'zod';
import { AUTO, type MetricsChoice, mappingSchema } from '../common/metrics.ts';
import { PRESET_NAMES } from '../common/presets.ts';
import { routeLabelsSchema } from '../common/route-labels.ts';
import { DURATION_PATTERN, parseDurationMs } from '../common/units.ts';
import type { Stage } from '../load/pacer.ts';
import { parseThreshold, THRESHOLD_FORM, THRESHOLD_PATTERN } from '../load/thresholds.ts';

export const durationSchema = z
  .string('expected a duration such as 30s')
  .regex(DURATION_PATTERN, 'expected a duration above 0, such as 250ms, 30s, 5m, 1h')
  .meta({ description: 'A duration: a number and one of ms, s, m, h.', examples: ['30s'] })
  .transform((text) => parseDurationMs(text) ?? Number.NaN);

const rate = z.number('expected a rate per second').min(0).max(1_000_000);

const stage = z
  .strictObject({
    duration: durationSchema,
    rate: z
      .union([rate, z.strictObject({ from: rate, to: rate })], 'expected a number, or {from: ..., to: ...}')
      .meta({ description: 'Requests per second: a constant, or a linear ramp from one rate to another.' }),
  })
  .meta({ description: 'A part of the schedule.' })
  .transform(({ duration: durationMs, rate: r }): Stage => {
    const { from, to } = typeof r === 'number' ? { from: r, to: r } : r;
    return { durationMs, fromPerSecond: from, toPerSecond: to };
  });

/** A token as defined in RFC 9110. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The generator writes the whole request, so these headers have at most one correct value. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  'content-length': 'the generator sets it from the body',
  'transfer-encoding': 'bodies are sent with their length, never in chunks',
  trailer: 'bodies are sent with their length, never in chunks',
  upgrade: 'the generator speaks HTTP/1.1 only',
};

const headers = z
  .record(
    z.string().regex(TOKEN, 'expected a header name'),
    z.string('expected a string').regex(/^[\t\x20-\x7e]*$/, 'expected a header value on one line'),
  )
  .superRefine((given, context) => {
    const seen = new Set<string>();
    for (const key of Object.keys(given)) {
      const name = key.toLowerCase();
      const reason = FORBIDDEN[name];
      const refuse = (message: string) => context.addIssue({ code: 'custom', path: [key], message });
      if (reason !== undefined) refuse(`expected no such header (${reason})`);
      else if (seen.has(name)) refuse('expected each header once (names are case-insensitive)');
      seen.add(name);
    }
  })
  .meta({
    description:
      'Added to Host and User-Agent, or replacing them. Content-Length, Transfer-Encoding, Trailer and Upgrade are not allowed.',
  });

export const connectionsSchema = z.int().min(1).max(10_000);

export const MOST_REQUESTS = 10_000_000;

export const targetSchema = z.strictObject({
  method: z
    .string()
    .regex(/^(?!CONNECT$)[A-Z]+$/, 'expected a method in capitals other than CONNECT, such as GET')
    .default('GET'),
  path: z
    .string('expected a path such as /products')
    .regex(
      /^\/[\x21\x22\x24-\x7e]*$/,
      'expected a path that starts with /, in ASCII without spaces or # (percent-encode them)',
    ),
  weight: z
    .number()
    .positive()
    .optional()
    .meta({ description: 'Relative share of the requests (default 1). Only with `stages`.' }),
  count: z
    .int()
    .positive()
    .max(MOST_REQUESTS)
    .optional()
    .meta({ description: 'The exact number of requests. Only without `stages`.' }),
  headers: headers.default({}),
  body: z
    .union(
      [z.string(), z.record(z.string(), z.json()), z.array(z.json())],
      'expected a string, an object or a list',
    )
    .optional()
    .meta({ description: 'A string is sent as it is, an object or a list as JSON.' }),
  expect: z
    .int()
    .min(200)
    .max(599)
    .optional()
    .meta({ description: 'The expected status; any other is an error (default: any status below 400).' }),
  series: routeLabelsSchema.optional().meta({
    description: 'The route label under which the service counts it. Needed to verify each route separately.',
  }),
});

export const thresholdSchema = z
  .string('expected a threshold such as p99<250ms')
  .regex(THRESHOLD_PATTERN, `expected ${THRESHOLD_FORM}`)
  .transform(parseThreshold);

const presetSchema = z.enum(['auto', ...PRESET_NAMES]);

export const metricsChoiceSchema = z
  .union(
    [
      presetSchema.transform((preset): MetricsChoice => ({ ...AUTO, metrics: preset })),
      z
        .strictObject({ preset: presetSchema, ignoreRoutes: z.array(z.string()).default([]) })
        .transform(({ preset, ignoreRoutes }): MetricsChoice => ({ metrics: preset, ignoreRoutes })),
      mappingSchema.transform((metrics): MetricsChoice => ({ ...AUTO, metrics })),
    ],
    `expected a mapping, {preset, ignoreRoutes}, or one of auto, ${PRESET_NAMES.join(', ')}`,
  )
  .meta({ description: 'The metrics of the service that count requests.' });

export const patternSchema = z
  .strictObject({
    $schema: z.string().optional(),
    description: z.string().default(''),
    stages: z
      .array(stage)
      .min(1)
      .optional()
      .meta({ description: 'The schedule. Without it, the counts are sent as fast as possible.' }),
    targets: z.array(targetSchema).min(1, 'expected at least one target'),
    thresholds: z.array(thresholdSchema).default([]),
    connections: connectionsSchema.optional().meta({ description: 'The most requests in flight at a time.' }),
    timeout: durationSchema.optional(),
    metrics: metricsChoiceSchema.optional(),
  })
  .superRefine(({ stages, targets }, context) => {
    const refuse = (message: string, ...path: (string | number)[]) =>
      context.addIssue({ code: 'custom', path, message });
    targets.forEach(({ count, weight }, n) => {
      if (stages !== undefined) {
        if (count !== undefined) refuse('expected no count together with stages', 'targets', n, 'count');
        return;
      }
      if (count === undefined) refuse('expected a count (or stages in the pattern), got none', 'targets', n);
      if (weight !== undefined) refuse('expected no weight without stages', 'targets', n, 'weight');
    });
    if (stages?.every(({ fromPerSecond, toPerSecond }) => fromPerSecond + toPerSecond === 0))
      refuse('expected a rate above 0 in at least one stage', 'stages');
  })
  .transform(({ timeout: timeoutMs, $schema, ...pattern }) => ({ ...pattern, timeoutMs }))
  .meta({
    title: 'Traffic pattern of exact-load',
    description: 'With `stages`, requests have a rate (open model). Without, each target has an exact count.',
  });

export type PatternInput = z.input<typeof patternSchema>;
export type Pattern = z.output<typeof patternSchema>;
export type Target = Pattern['targets'][number];
