/**
 * The numbers of a phase as reports contain them, and the sum of the numbers of several parts. Times are in ms, and null without
 * samples.
 */
import { z } from 'zod';
import { FAILURE_KINDS } from '../common/result.ts';
import { routeLabelsSchema } from '../common/route-labels.ts';
import { sumOf, sumRecords } from '../common/sums.ts';
import {
  distributionSchema,
  encodeHistogram,
  type Histogram,
  histogramSchema,
  sumHistograms,
  toDistribution,
} from './histogram.ts';
import { slowestOf, slowRequestSchema } from './slowest.ts';
import { sumTimelines, timelineSchema } from './timeline.ts';

const count = z.int().min(0);
const distribution = distributionSchema.nullable();
const histogram = histogramSchema.meta({
  description: 'An HDR histogram of microseconds (V2, compressed, base64).',
});
const statuses = z.record(z.string().regex(/^\d{3}$/), count);

const targetLineSchema = z.strictObject({
  name: z.string(),
  series: routeLabelsSchema
    .nullable()
    .meta({ description: 'The route label under which the service counts it.' }),
  answered: count,
  errors: count.meta({ description: 'Unexpected statuses and requests without a response.' }),
  unanswered: count,
  dropped: count,
  statuses,
  serviceTimeMs: distribution,
  serviceTime: histogram,
});

export const numbersSchema = z.strictObject({
  sent: count,
  unsent: count.meta({
    description: 'Due, but could not be sent: connection refused, no route to the host, TLS.',
  }),
  answered: count,
  dropped: count.meta({ description: 'Due, but not sent because no connection was free.' }),
  errors: count.meta({ description: 'Unexpected statuses and requests without a response.' }),
  unanswered: count,
  statuses,
  failures: z.partialRecord(z.enum(FAILURE_KINDS), count),
  sendingSeconds: z
    .number()
    .meta({ description: 'The time that the achieved rate refers to: that of the schedule, or longer.' }),
  achievedPerSecond: z.number(),
  latencyMs: distribution.meta({ description: 'From the intended start to the end of the response.' }),
  serviceTimeMs: distribution.meta({ description: 'From sending the request to the end of the response.' }),
  latenessMs: distribution.meta({ description: 'From the intended start to sending the request.' }),
  histograms: z.strictObject({ latency: histogram, serviceTime: histogram, lateness: histogram }),
  byTarget: z
    .array(targetLineSchema)
    .meta({ description: 'Targets that are counted under the same series share a line.' }),
  slowest: z
    .array(slowRequestSchema)
    .default([])
    .meta({ description: 'By service time; empty without --trace.' }),
  timeline: timelineSchema,
});

export type TargetLine = z.output<typeof targetLineSchema>;
export type Numbers = z.output<typeof numbersSchema>;

export function sumNumbers(parts: readonly Numbers[]): Numbers {
  const counts = sumCounts(parts, ['sent', 'unsent', 'answered', 'dropped', 'errors', 'unanswered']);
  const sendingSeconds = Math.max(...parts.map((part) => part.sendingSeconds));
  const histogramOf = (name: keyof Numbers['histograms']) =>
    sumHistograms(
      3,
      parts.map(({ histograms }) => histograms[name]),
    );
  const lines = parts.flatMap((part) => part.byTarget);
  return {
    ...counts,
    statuses: sumRecords(parts.map((part) => part.statuses)),
    failures: sumRecords(parts.map((part) => part.failures)),
    sendingSeconds,
    achievedPerSecond: sendingSeconds > 0 ? counts.sent / sendingSeconds : 0,
    ...describeDurations(histogramOf('latency'), histogramOf('serviceTime'), histogramOf('lateness')),
    byTarget: [...Map.groupBy(lines, ({ name }) => name)].map(([name, same]) => sumLines(name, same)),
    slowest: slowestOf(parts.flatMap((part) => part.slowest)),
    timeline: sumTimelines(parts.map((part) => part.timeline)),
  };
}

export function describeDurations(latency: Histogram, serviceTime: Histogram, lateness: Histogram) {
  return {
    latencyMs: toDistribution(latency),
    serviceTimeMs: toDistribution(serviceTime),
    latenessMs: toDistribution(lateness),
    histograms: {
      latency: encodeHistogram(latency),
      serviceTime: encodeHistogram(serviceTime),
      lateness: encodeHistogram(lateness),
    },
  };
}

function sumLines(name: string, lines: readonly TargetLine[]): TargetLine {
  const serviceTime = sumHistograms(
    2,
    lines.map((line) => line.serviceTime),
  );
  return {
    name,
    series: lines[0]?.series ?? null,
    ...sumCounts(lines, ['answered', 'errors', 'unanswered', 'dropped']),
    statuses: sumRecords(lines.map((line) => line.statuses)),
    serviceTimeMs: toDistribution(serviceTime),
    serviceTime: encodeHistogram(serviceTime),
  };
}

function sumCounts<K extends string>(
  parts: readonly Readonly<Record<K, number>>[],
  names: readonly K[],
): Record<K, number> {
  const sums = names.map((name) => [name, sumOf(parts, (part) => part[name])]);
  return Object.fromEntries(sums);
}
