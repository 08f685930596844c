import { expect, it } from '@jest/globals';
import { Prometheus } from '../src/proof/prometheus.ts';
import { encodeWriteRequest, pushMark } from '../src/run/annotate.ts';
import { closedPort, serveHttp } from './servers.ts';

it('encodes one sample as a snappy literal of a protocol buffer, labels in the order of their names', () => {
  const bytes = encodeWriteRequest({ pattern: 'lab', __name__: 'x' }, 1.5, 300);
  const label = (name: string, value: string) => [
    0x0a,
    name.length + value.length + 4,
    0x0a,
    name.length,
    ...Buffer.from(name),
    0x12,
    value.length,
    ...Buffer.from(value),
  ];
  const sample = [0x12, 12, 0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 0xac, 0x02];
  const series = [...label('__name__', 'x'), ...label('pattern', 'lab'), ...sample];
  const message = [0x0a, series.length, ...series];
  expect([...bytes]).toEqual([message.length, 61 << 2, message.length - 1, 0, ...message]);
});

it('is posted as the remote-write specification asks', async () => {
  const seen: Record<string, unknown>[] = [];
  const server = await serveHttp((request, response) => {
    seen.push({ url: request.url, ...request.headers });
    response.writeHead(204).end();
  });
  await pushMark(new Prometheus(server.url, 0), 'start', 'lab', (text) => seen.push({ text }));
  await server.stop();
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({
    url: '/api/v1/write',
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  });
});

it.each([
  ['is away', async () => `http://127.0.0.1:${await closedPort()}`, /did not take it: connect ECONNREFUSED/],
  ['has no receiver', async () => 'refuse', /did not take it: 404 remote write receiver needs to be enabled/],
])('only warns where Prometheus %s', async (_, where, message) => {
  const server = await serveHttp((_request, response) =>
    response.writeHead(404).end('remote write receiver needs to be enabled\n'),
  );
  const url = await where();
  const warnings: string[] = [];
  await pushMark(new Prometheus(url === 'refuse' ? server.url : url, 0), 'end', 'lab', (text) =>
    warnings.push(text),
  );
  await server.stop();
  expect(warnings).toEqual([expect.stringMatching(message)]);
});
