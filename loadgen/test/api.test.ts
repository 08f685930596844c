/** The generator as a library: `run` of the package, without a command line. */
import { writeFile } from 'node:fs/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { certificate } from '../../test/support/certificate.ts';
import {
  InterruptedError,
  type RunOptions,
  run,
  UnreachableError,
  UsageError,
  verdictOf,
} from '../src/api.ts';
import { reportSchema } from '../src/report/report.ts';
import { useFakeStack } from './fake-stack.ts';
import { useFolder } from './loadgen.ts';
import { serveTls } from './servers.ts';

const stack = useFakeStack();
const at = useFolder();
const products = () => `${stack.target.url}/products`;

describe('run', () => {
  it('sends an exact number, and returns a report that matches the schema', async () => {
    const report = await run({ url: products(), requests: 30, connections: 3 });
    expect(reportSchema.parse(report)).toEqual(report);
    expect(report).toMatchObject({
      state: 'finished',
      target: stack.target.url,
      verification: null,
      environment: { arguments: [] },
      phases: [{ pattern: 'GET /products', sent: 30, statuses: { 200: 30 }, plan: { connections: 3 } }],
    });
    expect(verdictOf(report)).toMatchObject({ kind: 'passed' });
  });

  it('sends at a rate for a duration, and reports failed thresholds without throwing', async () => {
    const thresholds = ['p99<1ms', 'rate>1000'];
    const report = await run({ url: products(), rate: 100, duration: '250ms', thresholds });
    expect(report.phases[0]).toMatchObject({ sent: 25, plan: { schedule: 'open', durationSeconds: 0.25 } });
    expect(verdictOf(report)).toMatchObject({ kind: 'failed' });
  });

  it('sends as fast as possible with rate "max", and spreads an exact number with a rate', async () => {
    const busy = await run({ url: products(), rate: 'max', duration: '50ms', connections: 2 });
    expect(busy.phases[0]).toMatchObject({ plan: { schedule: 'closed', durationSeconds: 0.05 } });
    const spread = await run({ url: products(), requests: 5, rate: 100 });
    expect(spread.phases[0]).toMatchObject({ sent: 5, plan: { schedule: 'queueing' } });
  });

  it('sends the request that the options describe', async () => {
    const seen: unknown[] = [];
    stack.api.intercept = ({ method, url, headers }, response) => {
      seen.push([method, url, headers['x-one'], headers['content-type'], headers['content-length']]);
      response.writeHead(204).end();
      return true;
    };
    const headers = { 'X-One': '1' };
    const url = `${products()}?a=b%20c`;
    const report = await run({ url, method: 'PUT', headers, body: { a: 1 }, expect: 204, requests: 1 });
    await run({ url: products(), body: 'text', requests: 1 });
    expect(seen).toEqual([
      ['PUT', '/products?a=b%20c', '1', 'application/json', '7'],
      ['POST', '/products', undefined, undefined, '4'],
    ]);
    expect(report.phases[0]).toMatchObject({ errors: 0, statuses: { 204: 1 } });
  });

  it('sends a pattern given as object, file or name, and compares with Prometheus', async () => {
    const series = { route: 'products' };
    const pattern = { targets: [{ path: '/products', count: 3, series }] };
    const [target, prometheus] = [stack.target.url, stack.observer.url];
    const report = await run({ pattern, target, prometheus });
    expect(report.verification).toMatchObject({ verdict: 'verified', answered: 3 });
    const lab = await run({ pattern: 'lab', target });
    expect(lab.phases.map((phase) => [phase.pattern, phase.sent])).toEqual([
      ['hundred', 100],
      ['not-found', 33],
    ]);
    const checkout = new URL('../patterns/checkout.yaml', import.meta.url).pathname;
    const file = await run({ pattern: checkout, target, rate: 20, duration: '100ms' });
    expect(file.phases[0]?.pattern).toBe('checkout');
  });

  it('ends when the signal aborts: before the first request with an error, later with a report', async () => {
    const aborted = { url: products(), requests: 1, signal: AbortSignal.abort() };
    await expect(run(aborted)).rejects.toThrow(new InterruptedError('interrupted: nothing was sent'));
    const stop = new AbortController();
    stack.api.intercept = () => {
      stop.abort();
      return false;
    };
    const report = await run({ url: products(), rate: 50, duration: '1m', signal: stop.signal });
    expect(report.state).toBe('interrupted');
    expect(verdictOf(report).kind).toBe('open');
  });

  it('uses the TLS options', async () => {
    const { url } = await serveTls((_, response) => void response.end());
    const kindOf = async (options: RunOptions) => verdictOf(await run({ url, requests: 2, ...options })).kind;
    const cacert = at('ca.pem');
    await writeFile(cacert, certificate);
    expect([await kindOf({ insecure: true }), await kindOf({ cacert })]).toEqual(['passed', 'passed']);
    expect(await kindOf({})).toBe('failed');
  });

  it('rejects if the target does not respond in time', async () => {
    const url = products();
    await stack.target.stop();
    await expect(run({ url, requests: 1, wait: '10ms' })).rejects.toThrow(UnreachableError);
  });

  it('rejects if Prometheus no longer responds after the load', async () => {
    stack.api.intercept = () => {
      void stack.observer.stop();
      return false;
    };
    const options = { url: products(), requests: 1, prometheus: stack.observer.url, wait: '100ms' };
    await expect(run(options)).rejects.toThrow(UnreachableError);
  });

  it('changes nothing in the process', async () => {
    const writes = [jest.spyOn(process.stdout, 'write'), jest.spyOn(process.stderr, 'write')];
    const listeners = () => process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const before = listeners();
    await run({ url: products(), requests: 3 });
    expect(listeners()).toEqual(before);
    for (const write of writes) expect(write).not.toHaveBeenCalled();
    jest.restoreAllMocks();
  });
});

describe('options', () => {
  const lines = async (options: object) => {
    const error: unknown = await run(options as RunOptions).catch((reason) => reason);
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message.split('\n').sort();
  };
  const url = 'http://127.0.0.1:3000/';

  it('report every problem at once', async () => {
    const wrong = { url: 'ftp://x', rate: 0, duration: '10 s', methode: 'GET', thresholds: ['p98<1s'] };
    const access = { prometheus: url, prometheusCaFile: './none.pem' };
    expect(await lines({ ...wrong, ...access, headers: { Upgrade: 'secret' } })).toEqual([
      'duration: expected a duration above 0, such as 250ms, 30s, 5m, 1h, got "10 s"',
      'headers.Upgrade: expected no such header (the generator speaks HTTP/1.1 only)',
      'methode: unknown key',
      'prometheusCaFile: expected a file that can be read, got ENOENT',
      'rate: expected a number above 0, at most 1000000, or "max", got 0',
      expect.stringMatching(/^thresholds\.0: expected a threshold: .*, got "p98<1s"$/),
      'url: expected a URL of http or https, such as http://127.0.0.1:3000/users/7, got "ftp://x"',
    ]);
  });

  const once = { url, requests: 1 };
  const NEITHER = 'expected one of the two, got neither';
  const NO_RATE = 'rate: expected a number or "max" together with duration';
  const NO_TARGET = 'target: expected the URL of the server together with pattern';
  const EXACT = 'expected only with a rate pattern, got "hundred", which sends an exact number of requests';
  const PASSWORD = 'expected no user or password (set headers instead), got "http://***@127.0.0.1/"';
  const WRONG = { targets: [{ path: 'x', count: 0 }] };
  it.each<[object, ...(string | RegExp)[]]>([
    [{}, `url, pattern: ${NEITHER}`],
    [{ url }, `requests, duration: ${NEITHER}`],
    [{ ...once, duration: '1s' }, NO_RATE, 'requests, duration: expected one of the two, got both'],
    [
      { pattern: 'lab', target: url, requests: 1, method: 'GET' },
      ...['method: expected only with url', 'requests: expected only with url'],
    ],
    [{ pattern: 'labb' }, /^pattern: expected one of lab,/, NO_TARGET],
    [{ ...once, prometheusTokenFile: 'x' }, 'prometheusTokenFile: expected only with prometheus'],
    [
      { ...once, cert: 'x', insecure: 1 },
      ...['cert, key: expected both, got "cert" only', 'insecure: expected true or false, got 1'],
    ],
    [
      { pattern: WRONG, target: url },
      ...[
        /^pattern\.targets\.0\.count: .*, got 0$/,
        /^pattern\.targets\.0\.path: expected a path .*, got "x"$/,
      ],
    ],
    [{ pattern: 'hundred', target: url, duration: '1s' }, `duration: ${EXACT}`],
    [{ url: 'http://user:secret@127.0.0.1/', requests: 1 }, `url: ${PASSWORD}`],
  ])('%j are refused', async (options, ...expected) => {
    const matchers = expected.map((one) => (one instanceof RegExp ? expect.stringMatching(one) : one));
    expect(await lines(options)).toEqual(matchers);
  });
});
