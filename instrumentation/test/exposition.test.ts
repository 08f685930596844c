/** The metrics endpoint over HTTP. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { connectRaw } from '../../test/support/raw-client.ts';
import { createDeferred, until } from '../../test/support/until.ts';
import type { Family } from '../src/exposition/family.ts';
import { createExposition, type ExpositionOptions } from '../src/exposition/handler.ts';
import { encodeSingle } from '../src/exposition/protobuf-metric.ts';

const protobuf =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

const gauge = (name: string, value: number): Family => ({
  name,
  help: 'h',
  type: 'gauge',
  values: [{ value }],
});
const families = [gauge('a', 1), gauge('b', 2), { ...gauge('c_total', 3), type: 'counter' }];
const plain =
  '# HELP a h\n# TYPE a gauge\na 1\n# HELP b h\n# TYPE b gauge\nb 2\n# HELP c_total h\n# TYPE c_total counter\nc_total 3\n';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  if (server?.listening) await promisify(server.close.bind(server))();
});

/** The codes that `onScrape` has received. */
let observed: number[];

async function start(
  gather: () => Promise<Family[]> = async () => families,
  options?: ExpositionOptions,
): Promise<number> {
  observed = [];
  server = createServer(createExposition(gather, { onScrape: (code) => observed.push(code), ...options }));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** `fetch` would add headers and decompress. */
async function scrape(port: number, headers: Record<string, string> = {}, path = '/', method = 'GET') {
  const request = httpRequest({ port, host: '127.0.0.1', path, method, headers, agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

/** A gather that waits for `open` at each call, and counts its calls. */
function createGate() {
  const opened: (() => void)[] = [];
  let calls = 0;
  return {
    calls: () => calls,
    open: () => opened.shift()?.(),
    gather: async () => {
      const call = ++calls;
      await new Promise<void>((resolve) => opened.push(resolve));
      return [gauge('call', call)];
    },
  };
}

describe('the exposition', () => {
  it('answers text 0.0.4 by default, with its exact content type and length', async () => {
    const { status, headers, body } = await scrape(await start());
    expect([status, body.toString()]).toEqual([200, plain]);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'content-length': String(plain.length),
      vary: 'Accept, Accept-Encoding',
    });
    expect(headers['content-encoding']).toBeUndefined();
  });

  it('answers OpenMetrics 1.0.0 if that is preferred', async () => {
    const { headers, body } = await scrape(await start(), {
      accept: 'application/openmetrics-text',
    });
    expect(headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(body.toString()).toBe(
      `${plain.replaceAll('c_total h', 'c h').replace('c_total counter', 'c counter')}# EOF\n`,
    );
  });

  it.each([
    ['/', undefined],
    ['/?native=1', 4],
    ['/?name[]=d&native=1&x=2', 4],
    ['/?native=0', undefined],
  ])(
    'answers protobuf if that is preferred; at the path %s with a native schema of %s',
    async (path, schema) => {
      const encoded = {
        messages: (withNative: boolean) => [encodeSingle('gauge', new Uint8Array(), withNative ? 4 : 0)],
        lines: () => [],
      };
      const port = await start(async () => [{ ...gauge('d', 1), encoded }]);
      const { headers, body } = await scrape(port, { accept: protobuf }, path);
      expect([headers['content-type'], headers['content-length'], headers.vary]).toEqual([
        protobuf,
        String(body.length),
        'Accept, Accept-Encoding',
      ]);
      expect(body.readDoubleLE(body.length - 8)).toBe(schema ?? 0);
      // The family begins with its length.
      expect(body[0]).toBe(body.length - 1);
    },
  );

  it('compresses for clients that accept gzip', async () => {
    const { headers, body } = await scrape(await start(), { 'accept-encoding': 'gzip' });
    expect([headers['content-encoding'], headers['content-length']]).toEqual(['gzip', String(body.length)]);
    expect(gunzipSync(body).toString()).toBe(plain);
  });

  it('also compresses large expositions', async () => {
    const values = Array.from({ length: 20_000 }, (_, i) => ({ labels: { i }, value: i }));
    const port = await start(async () => [{ ...gauge('n', 0), values }]);
    const { body } = await scrape(port, { 'accept-encoding': 'gzip' });
    const lines = gunzipSync(body).toString().trimEnd().split('\n');
    expect([lines.length, lines.at(-1)]).toEqual([20_002, 'n{i="19999"} 19999']);
  });

  it.each([
    ['/?name[]=b', 'b'],
    ['/metrics?x=1&name%5B%5D=b&name[]=missing', 'b'],
    ['/?name[]=missing', ''],
  ])('answers %s with those families only', async (path, name) => {
    const { status, body } = await scrape(await start(), {}, path);
    expect([status, body.toString()]).toEqual([
      200,
      name ? `# HELP ${name} h\n# TYPE ${name} gauge\n${name} 2\n` : '',
    ]);
  });

  it('answers HEAD like GET, without the body', async () => {
    const { status, headers, body } = await scrape(await start(), {}, '/', 'HEAD');
    expect([status, headers['content-length'], body.length]).toEqual([200, String(plain.length), 0]);
  });

  it('answers 500 with the reason when a collector fails, and recovers', async () => {
    let broken = true;
    const port = await start(async () => {
      if (broken) throw new Error('no sensor');
      return families;
    });
    const failed = await scrape(port, { 'accept-encoding': 'gzip' });
    expect([failed.status, failed.headers['content-type'], failed.body.toString()]).toEqual([
      500,
      'text/plain; charset=utf-8',
      'a collector failed: no sensor\n',
    ]);
    broken = false;
    expect((await scrape(port)).status).toBe(200);
  });

  it('shares one rendering among waiting scrapes, started after all of them have arrived', async () => {
    const gate = createGate();
    const port = await start(gate.gather);
    const first = scrape(port);
    await until('the first rendering to begin', () => gate.calls() === 1);
    let arrived = 0;
    server?.on('request', () => {
      arrived++;
    });
    const later = [scrape(port), scrape(port), scrape(port)];
    await until('three more scrapes to arrive', () => arrived === 3);
    gate.open();
    await until('the second rendering to begin', () => gate.calls() === 2);
    gate.open();
    const bodies = (await Promise.all([first, ...later])).map(({ body }) => body.toString().split('\n')[2]);
    expect(bodies).toEqual(['call 1', 'call 2', 'call 2', 'call 2']);
    expect(gate.calls()).toBe(2);
  });

  it('answers 503 beyond its limit of simultaneous scrapes, and reports each answer', async () => {
    const gate = createGate();
    const port = await start(gate.gather, { maxScrapes: 1 });
    const first = scrape(port);
    await until('the first rendering to begin', () => gate.calls() === 1);
    expect((await scrape(port)).status).toBe(503);
    gate.open();
    expect((await first).status).toBe(200);
    await until('both to be observed', () => observed.length === 2);
    const next = scrape(port);
    await until('the next scrape to be accepted', () => gate.calls() === 2);
    gate.open();
    expect((await next).status).toBe(200);
    await until('the third to be observed', () => observed.length === 3);
    expect(observed).toEqual([503, 200, 200]);
  });

  it('frees the slot of a client that disconnects, and does not report it as answered', async () => {
    const gate = createDeferred();
    let calls = 0;
    const gather = async () => {
      if (++calls === 1) await gate.promise;
      return families;
    };
    const port = await start(gather, { maxScrapes: 1 });
    const left = httpRequest({ port, host: '127.0.0.1', agent: false }).on('error', () => undefined);
    left.end();
    await until('its rendering to begin', () => calls === 1);
    left.destroy();
    await until('its end to be observed', () => observed.length === 1);
    gate.resolve();
    expect((await scrape(port)).status).toBe(200);
    await until('the next to be observed', () => observed.length === 2);
    expect(observed).toEqual([499, 200]);
  });

  it('frees the slot of a client that does not read its response, and reports it as 499', async () => {
    const values = Array.from({ length: 200_000 }, (_, i) => ({ labels: { i }, value: i }));
    const port = await start(async () => [{ ...gauge('a_name_that_is_long', 0), values }], { maxScrapes: 1 });
    const rude = await connectRaw(port);
    rude.socket.pause();
    rude.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('it to have the only place', async () => (await scrape(port)).status === 503);
    await until('another to get it', async () => (await scrape(port)).status === 200);
    await until('both to be observed', () => observed.at(-1) === 200);
    expect(new Set(observed)).toEqual(new Set([503, 499, 200]));
    rude.socket.destroy();
  });
});
