/** What is read of each process of the API: the vocabulary of readings. */
import { z } from 'zod';
import type { Prometheus, Sample } from './prometheus.ts';
import { DRAINED, DURATIONS, ERRORS, IN_PROGRESS, REQUESTS, seriesSchema, toSeries } from './series.ts';

export const START_TIME = 'process_start_time_seconds';

const instanceSchema = z.strictObject({
  instance: z.string(),
  startTimeSeconds: z.number().meta({
    description:
      '`process_start_time_seconds`: another value means another process, whose counters began at 0.',
  }),
  scrapedAtSeconds: z.number().meta({ description: "When it was last scraped, on Prometheus' clock." }),
  values: z.array(z.strictObject({ ...seriesSchema.shape, value: z.number() })),
});

const goneSchema = z.strictObject({
  ...instanceSchema.shape,
  isDrained: z.boolean().meta({
    description: 'Whether it had ended all requests and took no more when it was last scraped.',
  }),
});

export const readingSchema = z
  .strictObject({
    askedAtSeconds: z.number().meta({
      description:
        "Prometheus' clock when the reading was asked for: everything that happened before it is in the reading.",
    }),
    instances: z.array(instanceSchema),
    gone: z.array(goneSchema).optional().meta({
      description: 'Processes that have ended since an earlier reading, as they were last scraped.',
    }),
  })
  .meta({ description: 'Raw counter values per instance.' });

export type InstanceReading = z.output<typeof instanceSchema>;
export type GoneReading = z.output<typeof goneSchema>;
export type Reading = z.output<typeof readingSchema>;

/** What a reading needs of Prometheus. */
export type PrometheusReader = Pick<Prometheus, 'url' | 'time' | 'query' | 'samples'>;

type ProcessName = Pick<InstanceReading, 'instance' | 'startTimeSeconds'>;

export function isSameProcess(a: ProcessName, b: ProcessName): boolean {
  return a.instance === b.instance && a.startTimeSeconds === b.startTimeSeconds;
}

/** All that a reading is made of, of the targets that `matchers` select. */
export function selectorOf(matchers: string): string {
  const names = ['up', START_TIME, DRAINED, REQUESTS, ERRORS, DURATIONS, IN_PROGRESS].join('|');
  return `{__name__=~"${names}",${matchers}}`;
}

const NO_COUNTS: readonly unknown[] = ['up', START_TIME, DRAINED];

export function toValues(samples: readonly Sample[]): InstanceReading['values'] {
  const kept = samples.filter(({ labels }) => !NO_COUNTS.includes(labels.__name__));
  return kept.map(({ labels, value }) => ({ ...toSeries(labels.__name__ ?? '', labels), value }));
}
