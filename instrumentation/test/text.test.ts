/** Both text formats, of everything that a registry can contain. */
import { describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry, Summary } from '@prometheus-io/client';
import { gather } from '../src/library.ts';
import { messagesOf, textOf } from './expositions.ts';
import { createRequestRegistry } from './request-registry.ts';

/** One metric of each kind, with everything that needs care in a text format. */
function createRegistry(): Registry {
  const registry = new Registry();
  const registers = [registry];
  const counter = new Counter({
    name: 'jobs_total',
    help: 'Jobs "done"\nor \\ not',
    labelNames: ['kind'],
    registers,
  });
  counter.inc({ kind: 'quo"te\\back\nline' }, 2);
  const gauge = new Gauge({ name: 'level', help: 'Level', labelNames: ['where'], registers });
  gauge.set({ where: 'up' }, Number.POSITIVE_INFINITY);
  gauge.set({ where: 'down' }, Number.NEGATIVE_INFINITY);
  gauge.set({ where: 'nowhere' }, Number.NaN);
  new Gauge({ name: 'bare', help: 'Without labels', registers }).set(1.5e-7);
  const histogram = new Histogram({
    name: 'wait_seconds',
    help: 'Wait',
    labelNames: ['q'],
    buckets: [0.5, 1],
    registers,
  });
  histogram.observe({ q: 'a' }, 0.7);
  new Summary({ name: 'size_bytes', help: 'Size', percentiles: [0.5, 1], registers }).observe(3);
  return registry;
}

const text = `# HELP jobs_total Jobs "done"\\nor \\\\ not
# TYPE jobs_total counter
jobs_total{kind="quo\\"te\\\\back\\nline"} 2
# HELP level Level
# TYPE level gauge
level{where="up"} +Inf
level{where="down"} -Inf
level{where="nowhere"} NaN
# HELP bare Without labels
# TYPE bare gauge
bare 1.5e-7
# HELP wait_seconds Wait
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.5",q="a"} 0
wait_seconds_bucket{le="1.0",q="a"} 1
wait_seconds_bucket{le="+Inf",q="a"} 1
wait_seconds_sum{q="a"} 0.7
wait_seconds_count{q="a"} 1
# HELP size_bytes Size
# TYPE size_bytes summary
size_bytes{quantile="0.5"} 3
size_bytes{quantile="1.0"} 3
size_bytes_sum 3
size_bytes_count 1
`;

const openmetrics = `${text
  .replace('# HELP jobs_total Jobs "done"', '# HELP jobs Jobs \\"done\\"')
  .replace('# TYPE jobs_total', '# TYPE jobs')}# EOF\n`;

describe('rendering', () => {
  it('writes text 0.0.4', async () => {
    expect(await textOf(createRegistry())).toBe(text);
  });

  it('writes OpenMetrics 1.0.0, and text again afterwards', async () => {
    const registry = createRegistry();
    expect(await textOf(registry, 'openmetrics')).toBe(openmetrics);
    expect(await textOf(registry)).toBe(text);
  });

  it('agrees with the rendering of the client library', async () => {
    const { registry, add } = createRequestRegistry();
    add(200, 0.2);
    add(404, 2);
    const lines = (await registry.metrics()).split('\n').filter((line) => line !== '');
    // The library writes the bounds in their short form.
    expect((await textOf(registry)).replaceAll('.0"}', '"}').trimEnd().split('\n')).toEqual(lines);
  });

  it('shows the numbers from the moment of gathering, whatever is rendered or happens later', async () => {
    const { registry, add } = createRequestRegistry({ hasNative: true });
    const gauge = new Gauge({ name: 'level', help: 'Level', registers: [registry] });
    const gatherAfter = (count: number) => {
      gauge.set(count);
      add(200, 0.25);
      return gather(registry);
    };
    const [first, second, third] = [await gatherAfter(1), await gatherAfter(2), await gatherAfter(3)];
    for (const [families, count] of [
      [second, 2],
      [first, 1],
      [third, 3],
    ] as const) {
      expect((await textOf(families)).split('\n')).toEqual(
        expect.arrayContaining([
          `level ${count}`,
          `http_requests_total{path="a",method="get"} ${count}`,
          `http_request_duration_seconds_bucket{path="a",method="get",code="200",le="+Inf"} ${count}`,
          `http_request_duration_seconds_sum{path="a",method="get",code="200"} ${count / 4}`,
          `http_request_duration_seconds_count{path="a",method="get",code="200"} ${count}`,
        ]),
      );
      const messages = await messagesOf(families, true);
      const durations = messages.find(({ name }) => name === 'http_request_duration_seconds');
      expect(durations).toMatchObject({
        metric: expect.arrayContaining([
          expect.objectContaining({
            histogram: expect.objectContaining({ sampleCount: count, positiveDelta: [count] }),
          }),
        ]),
      });
    }
  });
});
