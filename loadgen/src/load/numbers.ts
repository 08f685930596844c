/**
 * The numbers of a phase in the form in which they are reported, and how those of its parts add up. Times are in ms, and
 * null where there were no samples.
 */
import { z } from 'zod';
import { FAILURE_KINDS } from '../common/result.ts';
import { routeLabelsSchema } from '../common/route-labels.ts';
import {
  type Distribution,
  distributionSchema,
  encodeHistogram,
  histogramSchema,
  sumHistograms,
  toDistribution,
} from './histogram.ts';
import { sumTimelines, timelineSchema } from './timeline.ts';

const count = z.int().min(0);
const distribution = distributionSchema.nullable();
const histogram = histogramSchema.meta({
  description: 'An HDR histogram of microseconds (V2, compressed, base64).',
});
const statuses = z.record(z.string().regex(/^\d{3}$/), count);

const targetLineSchema = z.strictObject({
  name: z.string(),
  series: routeLabelsSchema.nullable().meta({ description: 'The labels under which the API counts it.' }),
  answered: count,
  errors: count.meta({ description: 'Unexpected statuses and requests without an answer.' }),
  unanswered: count,
  dropped: count,
  statuses,
  serviceTimeMs: distribution,
  serviceTime: histogram,
});

export const numbersSchema = z.strictObject({
  sent: count,
  unsent: count.meta({ description: 'Due, and could not leave: refused, no route, TLS.' }),
  answered: count,
  dropped: count.meta({ description: 'Due, and not sent for want of a free connection.' }),
  errors: count.meta({ description: 'Unexpected statuses and requests without an answer.' }),
  unanswered: count,
  statuses,
  failures: z.partialRecord(z.enum(FAILURE_KINDS), count),
  sendingSeconds: z
    .number()
    .meta({ description: 'What the achieved rate is over: the schedule, or longer.' }),
  achievedPerSecond: z.number(),
  latencyMs: distribution.meta({ description: 'From the intended start to the end of the answer.' }),
  serviceTimeMs: distribution.meta({ description: 'From the send to the end of the answer.' }),
  latenessMs: distribution.meta({ description: 'From the intended start to the send.' }),
  histograms: z.strictObject({ latency: histogram, serviceTime: histogram, lateness: histogram }),
  byTarget: z
    .array(targetLineSchema)
    .meta({ description: 'Targets that are counted under the same series are one.' }),
  timeline: timelineSchema,
});

export type TargetLine = z.output<typeof targetLineSchema>;
export type Numbers = z.output<typeof numbersSchema>;

/** The numbers of a whole of which these are the parts. @throws RangeError for none */
export function sumNumbers(parts: readonly Numbers[]): Numbers {
  const sum = (of: (part: Numbers) => number) => total(parts.map(of));
  const sent = sum((part) => part.sent);
  const sendingSeconds = Math.max(...parts.map((part) => part.sendingSeconds));
  const histograms = {
    latency: sumHistograms(
      parts.map((part) => part.histograms.latency),
      3,
    ),
    serviceTime: sumHistograms(
      parts.map((part) => part.histograms.serviceTime),
      3,
    ),
    lateness: sumHistograms(
      parts.map((part) => part.histograms.lateness),
      3,
    ),
  };
  return {
    sent,
    unsent: sum((part) => part.unsent),
    answered: sum((part) => part.answered),
    dropped: sum((part) => part.dropped),
    errors: sum((part) => part.errors),
    unanswered: sum((part) => part.unanswered),
    statuses: sumRecords(parts.map((part) => part.statuses)),
    failures: sumRecords(parts.map((part) => part.failures)),
    sendingSeconds,
    achievedPerSecond: sendingSeconds > 0 ? sent / sendingSeconds : 0,
    latencyMs: toDistribution(histograms.latency, maxOf(parts.map((part) => part.latencyMs))),
    serviceTimeMs: toDistribution(histograms.serviceTime, maxOf(parts.map((part) => part.serviceTimeMs))),
    latenessMs: toDistribution(histograms.lateness, maxOf(parts.map((part) => part.latenessMs))),
    histograms: {
      latency: encodeHistogram(histograms.latency),
      serviceTime: encodeHistogram(histograms.serviceTime),
      lateness: encodeHistogram(histograms.lateness),
    },
    byTarget: [
      ...Map.groupBy(
        parts.flatMap((part) => part.byTarget),
        ({ name }) => name,
      ).values(),
    ].map(sumLines),
    timeline: sumTimelines(parts.map((part) => part.timeline)),
  };
}

function sumLines(lines: readonly TargetLine[]): TargetLine {
  const [first] = lines;
  if (first === undefined) throw new RangeError('no sum of no lines');
  const serviceTime = sumHistograms(
    lines.map((line) => line.serviceTime),
    2,
  );
  return {
    ...first,
    answered: total(lines.map((line) => line.answered)),
    errors: total(lines.map((line) => line.errors)),
    unanswered: total(lines.map((line) => line.unanswered)),
    dropped: total(lines.map((line) => line.dropped)),
    statuses: sumRecords(lines.map((line) => line.statuses)),
    serviceTimeMs: toDistribution(serviceTime, maxOf(lines.map((line) => line.serviceTimeMs))),
    serviceTime: encodeHistogram(serviceTime),
  };
}

function total(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** A histogram that was encoded has forgotten the exact highest value; the distributions have kept it. */
function maxOf(distributions: readonly (Distribution | null)[]): number {
  return Math.max(...distributions.map((one) => one?.max ?? Number.NEGATIVE_INFINITY));
}

export function sumRecords<K extends string>(
  records: readonly Partial<Record<K, number>>[],
): Record<K, number> {
  const keys = new Set(records.flatMap((one) => Object.keys(one) as K[]));
  const sums = [...keys].map((key) => [key, total(records.map((one) => one[key] ?? 0))]);
  return Object.fromEntries(sums);
}
