/** Parsing of other generators' results. */
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { metricsSchema } from '../src/common/metrics.ts';
import { PRESETS } from '../src/common/presets.ts';
import { readForeignResult } from '../src/run/verify-foreign.ts';
import { parseForeignResult, toExpectedCount, totalsOnly } from '../src/verify/foreign-result.ts';
import { useFolder } from './loadgen.ts';

/** Results of vegeta 12.12, autocannon 8 and k6, without properties that are not read. */
const VEGETA = {
  ...{ requests: 203, earliest: '2026-11-29T17:02:45.628925113Z', end: '2026-11-29T17:02:47.620048165Z' },
  status_codes: { 0: 3, 200: 150, 404: 50 },
};
const AUTOCANNON = {
  ...{ requests: { sent: 505, total: 500 }, statusCodeStats: { 200: { count: 480 }, 500: { count: 20 } } },
  ...{ start: '2026-11-29T17:01:21.117Z', finish: '2026-11-29T17:01:22.134Z' },
};
const [http_reqs, http_req_failed, vus_max] = [{ count: 500 }, { passes: 10, fails: 490 }, { value: 5 }];
const K6 = { metrics: { http_reqs, http_req_failed, vus_max } };
/** The output of `handleSummary`. */
const K6_VALUES = {
  metrics: Object.fromEntries(Object.entries(K6.metrics).map(([name, values]) => [name, { values }])),
};

describe('a result', () => {
  it.each([
    ['vegeta', VEGETA, { 200: 150, 404: 50 }, 3, true],
    ['autocannon', AUTOCANNON, { 200: 480, 500: 20 }, 5, true],
    ['k6', K6, { 200: 490 }, 15, false],
    ['k6', K6_VALUES, { 200: 490 }, 15, false],
  ])('of %s has its responses, and lists unknown values', (tool, json, answered, unknown, hasCodes) => {
    const result = parseForeignResult(json);
    expect(result).toMatchObject({ tool, answered, unknown, hasCodes });
    expect(result && toExpectedCount(result)).toMatchObject({ route: null, answered, unknown });
  });

  it('has times on the clock of the sending machine', () => {
    const times = { startSeconds: 1795971765.628, endSeconds: 1795971767.62 };
    expect(parseForeignResult(VEGETA)).toMatchObject(times);
  });

  it('is compared by totals: of all requests, and by status if it has statuses', () => {
    const ours = metricsSchema.parse(PRESETS['express-exact-metrics']?.variants[0]);
    const namesBy = (json: unknown) => {
      const result = parseForeignResult(json);
      return result && totalsOnly(ours, result).counters.map(({ name, route, code }) => [name, route, code]);
    };
    const name = 'http_request_duration_seconds_count';
    expect(namesBy(VEGETA)).toEqual([[name, undefined, 'code']]);
    expect(namesBy(K6)).toEqual([[name, undefined, undefined]]);
  });
});

describe('a file', () => {
  const at = useFolder();
  const read = async (json: unknown, between = {}) => {
    await writeFile(at('result.json'), JSON.stringify(json));
    return readForeignResult(at('result.json'), between);
  };

  it('with other content is refused, and so is one without times', async () => {
    await expect(read({ requests: 3 })).rejects.toThrow('--sent: expected the JSON of k6');
    await expect(read(K6)).rejects.toThrow(
      '--sent: the result of k6 has no times; expected --from <time> and --to <time>',
    );
    await expect(read(VEGETA, { from: Date.parse('2027-01-01T00:00:00Z') })).rejects.toThrow('--from, --to');
  });

  it('can get its times from flags', async () => {
    const [from, to] = [Date.parse('2026-01-01T00:00:00Z'), Date.parse('2026-01-01T00:01:00Z')];
    const times = { startSeconds: from / 1000, endSeconds: to / 1000 };
    expect(await read(K6, { from, to })).toMatchObject(times);
  });
});
