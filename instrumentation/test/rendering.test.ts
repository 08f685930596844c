/** Rendering many series does not block the event loop. */
import { expect, it } from '@jest/globals';
import { renderProtobuf } from '../src/exposition/protobuf.ts';
import { render } from '../src/exposition/text.ts';
import { decode } from './expositions.ts';

/** How many turns the event loop takes until `work` is done. */
async function turnsDuring<T>(work: Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0;
  let isRunning = true;
  const turn = () => {
    turns++;
    if (isRunning) setImmediate(turn);
  };
  setImmediate(turn);
  const result = await work;
  isRunning = false;
  return { result, turns };
}

const values = Array.from({ length: 200_000 }, (_, i) => ({ labels: { i }, value: i }));

it('lets other work run while it renders text', async () => {
  const { result, turns } = await turnsDuring(
    render([{ name: 'n', help: 'h', type: 'gauge', values }], 'text'),
  );
  expect(turns).toBeGreaterThan(3);
  const lines = result.toString().split('\n');
  expect([lines.length, lines[2], lines.at(-2)]).toEqual([200_003, 'n{i="0"} 0', 'n{i="199999"} 199999']);
});

it('lets other work run while it renders protobuf', async () => {
  const few = values.slice(0, 30_000);
  const families = [
    { name: 'g', help: 'h', type: 'gauge', values: few },
    {
      name: 'h',
      help: 'h',
      type: 'histogram',
      values: few.map((sample) => ({ metricName: 'h_count', ...sample })),
    },
  ];
  const { result, turns } = await turnsDuring(renderProtobuf(families, true));
  expect(turns).toBeGreaterThan(3);
  const [gauge, last] = decode(result) as { metric: unknown[] }[];
  expect([gauge?.metric.length, last?.metric.length]).toEqual([30_000, 30_000]);
  expect(last?.metric.at(-1)).toEqual({
    label: [{ name: 'i', value: '29999' }],
    histogram: { sampleCount: 29_999, sampleSum: 0 },
  });
});
