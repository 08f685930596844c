/** Which requests become exemplars: by traceparent, by the user's function, or by OpenTelemetry span. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import type { InstrumentOptions } from '../src/index.ts';
import { exemplarsIn } from './exemplars.ts';
import { textOf } from './expositions.ts';
import { startApp, type TestApp } from './harness.ts';

let app: TestApp;

const ID = 'ab'.repeat(16);
const traceparent = (id = ID, { version = '00', parent = '00f067aa0ba902b7', flags = '01' } = {}) =>
  `${version}-${id}-${parent}-${flags}`;

const routes = (application: Express) =>
  void application
    .get('/a', (_request, response) => void response.send('ok'))
    .get('/broken', (_request, response) => void response.status(503).send('no'));

const start = (options: InstrumentOptions = {}) => startApp(routes, { exemplars: true, ...options });

async function ask(path: string, ...traceparents: string[]): Promise<void> {
  await fetch(`${app.url}${path}`, {
    headers: traceparents.map((value): [string, string] => ['traceparent', value]),
  });
}

const openMetrics = () => textOf(app.metrics.registry, 'openmetrics');

describe('a request with a sampled traceparent', () => {
  it('is the exemplar of its bucket and of its error, in OpenMetrics but not in text', async () => {
    app = await start({ bucketsSeconds: [30] });
    const before = Date.now() / 1000;
    await ask('/a', traceparent());
    await ask('/broken', traceparent('cd'.repeat(16)));
    await app.settled(2);
    const text = await openMetrics();
    const labels = 'path="/broken",method="get",code="503"';
    expect(exemplarsIn(text)).toEqual({
      'http_request_duration_seconds_bucket{path="/a",method="get",code="200",le="30.0"}': `{trace_id="${ID}"}`,
      [`http_request_duration_seconds_bucket{${labels},le="30.0"}`]: `{trace_id="${'cd'.repeat(16)}"}`,
      'http_errors_total{code="503"}': `{trace_id="${'cd'.repeat(16)}"}`,
    });
    const [, value, timestamp] = /path="\/a".*le="30.0"\} 1 # \S+ (\S+) (\S+)$/m.exec(text) ?? [];
    expect(text).toContain(`http_request_duration_seconds_sum{path="/a",method="get",code="200"} ${value}\n`);
    expect(Number(timestamp)).toBeGreaterThanOrEqual(before);
    expect(Number(timestamp)).toBeLessThanOrEqual(Date.now() / 1000);
    expect(text).toMatch(/^http_errors_total\{code="503"\} 1 # \S+ 1 [\d.]+$/m);
    expect(await app.scrape()).not.toContain('trace_id');
  });

  it.each<[string, string[]]>([
    ['is not sampled', [traceparent(ID, { flags: '00' })]],
    ['is not sampled and has other flags', [traceparent(ID, { flags: '02' })]],
    ['has no id', [traceparent('0'.repeat(32))]],
    ['has no parent', [traceparent(ID, { parent: '0'.repeat(16) })]],
    ['has the invalid version', [traceparent(ID, { version: 'ff' })]],
    ['has capital letters', [traceparent(ID.toUpperCase())]],
    ['has letters other than hexadecimal digits', [traceparent('zz'.repeat(16))]],
    ['has quotes', [traceparent('"}'.repeat(16))]],
    ['is too long', [`${traceparent()}${'0'.repeat(8_000)}`]],
    ['is too short', ['00-ab-cd-01']],
    ['occurs twice', [traceparent(), traceparent('cd'.repeat(16))]],
    ['is missing', []],
  ])('is counted without an exemplar if its value %s', async (_name, values) => {
    app = await start();
    await ask('/broken', ...values);
    expect((await app.settled(1)).errors).toEqual({ 503: 1 });
    expect(await openMetrics()).not.toContain(' # {');
  });

  it('changes neither the number of series nor any byte of the text format', async () => {
    const text = async (exemplars: boolean) => {
      app = await startApp(routes, { exemplars, nativeHistograms: true });
      for (let i = 0; i < 20; i++) await ask(i % 2 ? '/a' : '/broken', traceparent(`${i + 10}`.repeat(16)));
      await app.settled(20);
      const exposed = (await app.scrape()).replace(/^(.*(_sum|_bucket|_seconds_total)[{ ].*) \S+$/gm, '$1');
      expect((await openMetrics()).includes('trace_id')).toBe(exemplars);
      await app.close();
      return exposed.replace(/^metrics_.*$/gm, '');
    };
    expect(await text(true)).toBe(await text(false));
  });
});

it('keeps no exemplars by default', async () => {
  app = await startApp(routes);
  await ask('/broken', traceparent());
  await app.settled(1);
  expect(await openMetrics()).not.toContain('trace_id');
});

describe('a user-defined function', () => {
  it('returns the labels, or undefined for no exemplar', async () => {
    const exemplars: InstrumentOptions['exemplars'] = ({ url, headers }) =>
      url === '/a' ? undefined : { order: String(headers['x-order']) };
    app = await start({ exemplars });
    await ask('/a');
    await fetch(`${app.url}/broken`, { headers: { 'x-order': 'a"b\\' } });
    await app.settled(2);
    expect(Object.values(exemplarsIn(await openMetrics()))).toEqual(Array(2).fill('{order="a\\"b\\\\"}'));
  });

  it('may modify its result later without effect', async () => {
    const labels = { order: 'first' };
    app = await start({ exemplars: () => labels });
    await ask('/broken');
    await app.settled(1);
    labels.order = 'second';
    expect(Object.values(exemplarsIn(await openMetrics()))).toEqual(Array(2).fill('{order="first"}'));
  });
});

// The SDK does not support older versions of Node.
const onSupported = process.version.startsWith('v20.') ? it.skip : it;

onSupported('uses the trace of the server span if the OpenTelemetry SDK is running', async () => {
  const program = fileURLToPath(new URL('./programs/traced.js', import.meta.url));
  const run = async (...words: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...words]);
    return JSON.parse(stdout) as { spans: string[]; exemplars: string[] };
  };
  const [own, joined, unsampled] = await Promise.all([run(), run('joined'), run('joined', 'unsampled')]);
  expect(own?.spans).toEqual([expect.stringMatching(/^[\da-f]{32}$/)]);
  expect(own?.exemplars).toEqual(own?.spans);
  expect(joined).toEqual({ spans: [ID], exemplars: [ID] });
  expect(unsampled).toEqual({ spans: [], exemplars: [] });
});
