import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { reportSchema } from '../src/report/report.ts';
import { type FakeStack, startFakeStack } from './fake-stack.ts';
import { loadgen } from './loadgen.ts';
import { closedPort, serveHttp } from './servers.ts';

let stack: FakeStack;
let folder = '';
beforeEach(async () => {
  stack = await startFakeStack();
  folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
});
afterEach(async () => {
  await stack.stop();
  await rm(folder, { recursive: true });
});

const target = () => ['--target', stack.target.url];
const verification = () => ['--prometheus', stack.observer.url, '--wait', '5s'];
const ledger = () => ['--ledger', join(folder, 'ledger')];

describe('loadgen run with Prometheus', () => {
  it('sends the lab and verifies it, in a table without control characters', async () => {
    const { code, out, err } = await loadgen(['run', 'lab', ...target(), ...verification()]);
    expect(code).toBe(0);
    expect(out).toContain(`series                                      sent  counted  difference
http_requests_total
  path="cart" method="get"                    20       20           0
  path="cart" method="post"                   10       10           0
  path="products" method="get"                30       30           0
  path="products" method="post"               40       40           0
http_errors_total
  code="404"                                  33       33           0
http_request_duration_seconds_count
  path="cart" method="get" code="200"         20       20           0
  path="cart" method="post" code="201"        10       10           0
  path="products" method="get" code="200"     30       30           0
  path="products" method="post" code="201"    40       40           0
  path="unmatched" method="get" code="404"    33       33           0
inprogress_requests                            0        0           0

verified: 133 requests, every one counted exactly once
`);
    expect(`${out}${err}`).toMatch(/^[\n\x20-\x7e]*$/);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('does not take what was counted before for its own', async () => {
    stack.api.count('http_requests_total{path="cart",method="get"}', 1000);
    expect((await loadgen(['run', 'hundred', ...target(), ...verification()])).code).toBe(0);
  });

  it('fails and names the series when somebody else sends a request in between', async () => {
    let intruded = false;
    stack.api.intercept = () => {
      if (!intruded) stack.api.count('http_requests_total{path="cars",method="get"}');
      intruded = true;
      return false;
    };
    const { code, out } = await loadgen(['run', 'hundred', ...target(), ...verification()]);
    expect(code).toBe(1);
    expect(out).toContain('path="cars" method="get"                     0        1          +1');
    expect(out).toMatch(
      /FAILED: 1 of \d+ series differ.*\n {2}http_requests_total{path="cars",method="get"}: counted 1 more than sent/,
    );
  });

  it('waits for what the API counts a little later than it answers', async () => {
    let delayed = false;
    stack.api.intercept = () => {
      if (!delayed) stack.api.count('inprogress_requests');
      if (!delayed) setTimeout(() => stack.api.count('inprogress_requests', -1), 300);
      delayed = true;
      return false;
    };
    expect(await loadgen(['run', 'hundred', ...target(), ...verification()])).toMatchObject({ code: 0 });
  });

  it('says that a restart in between makes the verification unverifiable, of which instance, and how much is lost', async () => {
    let requests = 0;
    stack.api.intercept = () => {
      if (++requests === 50) stack.api.restart();
      return false;
    };
    const { code, out } = await loadgen(['run', 'hundred', ...target(), ...verification()]);
    expect(code).toBe(1);
    expect(out).toMatch(
      /unverifiable:\n {2}api-1:8000 ended without being drained: at most \d+ requests that it answered after its last scrape are lost/,
    );
    // What is missing might still have come, from a replica that has just started: that is waited for.
  }, 40_000);

  it('does not call a request without an answer verified', async () => {
    let requests = 0;
    stack.api.intercept = (request) => {
      if (++requests !== 7) return false;
      request.socket.destroy();
      return true;
    };
    const { code, out } = await loadgen(['run', 'hundred', ...target(), ...verification()]);
    expect(code).toBe(1);
    expect(out).toContain('1 x reset (the connection was closed before the answer was complete)');
    expect(out).toContain('verification inconclusive: 1 of 100 requests got no complete answer');
  });

  it('sends nothing to an API that is not fresh, when told so', async () => {
    const args = ['run', 'lab', '--only-on-fresh-api', ...target(), ...verification()];
    expect((await loadgen(args)).out).toContain('verified: 133 requests');
    const counted = new Map(stack.api.values);
    expect(await loadgen(args)).toMatchObject({
      code: 0,
      out: 'the API has already handled 133 requests: nothing sent\n',
    });
    expect(stack.api.values).toEqual(counted);
  });

  it('shows the verification of what the ledger has, when the API is not fresh and nobody else has used it', async () => {
    const args = ['run', 'lab', '--only-on-fresh-api', ...target(), ...verification(), ...ledger()];
    await loadgen(args);
    const again = await loadgen(args);
    expect(again).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^the API has already handled 133 requests: nothing sent\nseries [\s\S]+\nverified: 133 requests, every one counted exactly once\n$/,
      ),
    });
    stack.api.count('http_requests_total{path="cart",method="get"}');
    expect(await loadgen(args)).toMatchObject({
      code: 0,
      out: 'the API has already handled 133 requests: nothing sent\n',
    });
  });

  it('ends with 3 and the URL when Prometheus is away, having sent nothing', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const { code, err } = await loadgen(['run', ...target(), '--prometheus', url, '--wait', '100ms']);
    expect(code).toBe(3);
    expect(err).toMatch(new RegExp(`Prometheus at ${url} did not answer: connect ECONNREFUSED`));
    expect(stack.api.values.size).toBe(1);
  });

  it('says at once what answers where something else than Prometheus listens', async () => {
    const startedMs = performance.now();
    const url = stack.target.url;
    const { code, err } = await loadgen(['run', ...target(), '--prometheus', url, '--wait', '20s']);
    expect(code).toBe(3);
    expect(err).toContain(
      `--prometheus: what answers at ${url} is not Prometheus, or does not let this query pass: ` +
        'POST /api/v1/query gave 404 ok',
    );
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it('waits for a Prometheus that is starting', async () => {
    let refusals = 3;
    const starting = await serveHttp((request, response) => {
      if (refusals-- > 0) response.writeHead(503).end('Service Unavailable');
      else void stack.prometheus.handle(request, response);
    });
    const { code } = await loadgen(['run', 'hundred', ...target(), '--prometheus', starting.url]);
    await starting.stop();
    expect(code).toBe(0);
  });

  it('ends with 3 and the instance when Prometheus cannot scrape the API', async () => {
    stack.prometheus.isTargetUp = false;
    const { code, err } = await loadgen([
      'run',
      ...target(),
      '--prometheus',
      stack.observer.url,
      '--wait',
      '300ms',
    ]);
    expect(code).toBe(3);
    expect(err).toContain('api-1:8000 is down (up = 0)');
  });

  it('shows what was sent when Prometheus goes away in the middle', async () => {
    stack.api.intercept = () => {
      void stack.observer.stop();
      return false;
    };
    const { code, out, err } = await loadgen([
      'run',
      'hundred',
      ...target(),
      '--prometheus',
      stack.observer.url,
      '--wait',
      '300ms',
    ]);
    expect(code).toBe(3);
    expect(out).toContain('hundred: 100 requests sent');
    expect(err).toContain('not verified: Prometheus at');
  });
});

describe('loadgen verify', () => {
  const verify = (...args: string[]) => loadgen(['verify', ...verification(), ...ledger(), ...args]);

  it('sends nothing and verifies all runs together', async () => {
    await loadgen(['run', 'hundred', ...target(), ...verification(), ...ledger()]);
    await loadgen(['run', 'not-found', '--no-verify', ...target(), ...verification(), ...ledger()]);
    const counted = new Map(stack.api.values);
    const { code, out } = await verify();
    expect(out).toMatch(/^2 runs in the ledger\n/);
    expect(out).toMatch(/\nverified: 133 requests, every one counted exactly once\n$/);
    expect([code, stack.api.values]).toEqual([0, counted]);
  });

  it('fails and names the series after a request behind its back, until a rebase', async () => {
    await loadgen(['run', 'hundred', ...target(), ...verification(), ...ledger()]);
    await (await fetch(`${stack.target.url}/cart`)).text();
    const failed = await verify();
    expect(failed.code).toBe(1);
    expect(failed.out).toContain('http_requests_total{path="cart",method="get"}: counted 1 more than sent');
    expect(failed.err).toContain('a new ledger begun, with: verify --rebase');
    expect((await verify('--rebase')).code).toBe(0);
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it('takes reports instead of a folder', async () => {
    const file = join(folder, 'report.json');
    await loadgen(['run', 'hundred', '--json', file, ...target(), ...verification()]);
    expect(await loadgen(['verify', file, ...verification()])).toMatchObject({ code: 0 });
  });

  it('without a run to compare ends with 1, without a ledger with 2', async () => {
    await loadgen(['run', 'hundred', ...target(), ...verification(), ...ledger()]);
    stack.api.restart();
    const nothing = await verify();
    expect(nothing.code).toBe(1);
    expect(nothing.err).toContain('nothing to verify: the ledger holds no run since the API started');
    expect((await loadgen(['verify', ...verification(), '--ledger', join(folder, 'gone')])).code).toBe(2);
    expect((await loadgen(['verify', ...verification()])).err).toContain(
      'needs --ledger <folder>, or reports of runs',
    );
  });

  it('ends with 3 when Prometheus is away', async () => {
    await loadgen(['run', 'hundred', ...target(), ...verification(), ...ledger()]);
    await stack.observer.stop();
    const { code, err } = await loadgen([
      'verify',
      '--prometheus',
      stack.observer.url,
      '--wait',
      '200ms',
      ...ledger(),
    ]);
    expect(code).toBe(3);
    expect(err).toContain(`Prometheus at ${stack.observer.url} did not answer`);
  });
});

describe('loadgen run without Prometheus', () => {
  it('writes a report that its schema accepts, to a file or to standard output', async () => {
    const file = join(folder, 'report.json');
    const { out } = await loadgen(['run', 'hundred', '--json', file, ...target()]);
    expect(out).toContain('hundred: 100 requests sent');
    const report = reportSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    expect(report.phases[0]).toMatchObject({
      sent: 100,
      answered: 100,
      statuses: { 200: 50, 201: 50 },
      unanswered: 0,
    });
    const piped = await loadgen(['run', 'hundred', '--json', '-', ...target()]);
    expect(reportSchema.parse(JSON.parse(piped.out)).verification).toBeNull();
  });

  it('fails on a threshold that does not hold', async () => {
    const { code, out } = await loadgen([
      'run',
      'hundred',
      '--threshold',
      'max<1ms',
      '--threshold',
      'errors=0',
      ...target(),
    ]);
    expect(code).toBe(1);
    expect(out).toMatch(/max<1ms: FAILED \(.*\)\n.*errors=0: ok \(0\)/);
  });

  it('counts a status that was not expected as an error, and leaves it to a threshold to fail', async () => {
    const file = join(folder, 'own.yaml');
    await writeFile(file, 'targets: [{path: /cart, count: 2, expect: 201}, {path: /gone, count: 3}]');
    const { code, out } = await loadgen(['run', file, ...target()]);
    expect(code).toBe(0);
    expect(out).toContain(
      'answered  5   2 x 200   3 x 404\n  errors    5   dropped 0\n            5 x status',
    );
    expect((await loadgen(['run', file, '--threshold', 'errors<=4', ...target()])).code).toBe(1);
  });

  it('paces an exact pattern without losing a request to a lack of connections', async () => {
    const { code, out } = await loadgen([
      'run',
      'not-found',
      '--rate',
      '500',
      '--connections',
      '1',
      ...target(),
    ]);
    expect([code, stack.api.values.get('http_errors_total{code="404"}')]).toEqual([0, 33]);
    expect(out).toContain('asked 500/s on average, at most 1 connection)');
  });

  it('runs an own pattern file', async () => {
    const file = join(folder, 'own.yaml');
    await writeFile(
      file,
      'stages: [{duration: 200ms, rate: 50}]\ntargets: [{path: /cart}, {path: /gone, expect: 404}]\n',
    );
    const { code, out } = await loadgen(['run', file, ...target()]);
    expect(code).toBe(0);
    expect(out).toContain('own: 10 requests sent');
  });

  it('stops at an interrupt, waits for what is in flight, shows what was done and ends with 130', async () => {
    const controller = new AbortController();
    stack.api.intercept = (_request, response) => {
      controller.abort();
      setTimeout(() => response.end('late'), 50);
      return true;
    };
    const { code, out } = await loadgen(['run', 'lab', '-c', '1', ...target()], controller.signal);
    expect(code).toBe(130);
    expect(out).toContain('hundred: 1 request sent');
    expect(out).toContain('answered  1   1 x 200');
    expect(out).toContain('interrupted: the rest was not sent');
    expect(out).not.toContain('not-found');
  });

  it('ends with 3 when nothing listens, or nothing answers', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const refused = await loadgen(['run', '--target', url, '--wait', '100ms']);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain(`${url} did not accept a connection within 0.1 s: connect ECONNREFUSED`);
    const mute = await serveHttp((request) => request.socket.destroy());
    const { code, out } = await loadgen(['run', 'hundred', '--target', mute.url]);
    await mute.stop();
    expect([code, out.includes('answered  0')]).toEqual([3, true]);
  });
});

describe('wrong usage ends with 2 and says what is right', () => {
  it.each([
    [['run', 'hundrd'], /no pattern "hundrd"; there are lab, hundred, not-found, steady, .*mixed, and files/],
    [['run', 'constructor', 'nope'], /no pattern "constructor".*\nno pattern "nope"/],
    [
      ['run', '--rate', 'fast'],
      /'-r, --rate <per second>' argument 'fast' is invalid. Expected a number above 0, or max/,
    ],
    [['run', '--duration', '10'], /Expected a duration such as 250ms/],
    [['run', '--connections', '0'], /Expected a whole number from 1/],
    [['run', '--threshold', 'p98<1'], /Expected a threshold: p50, p90/],
    [['run', '--shard', '0/2'], /Expected a part of at most 1000, from 1, such as 2\/8/],
    [['run', '--shard', '3/2'], /Expected a part of at most 1000/],
    [['run', '--start-at', '12:00'], /Expected a date and time with its zone/],
    [['run', '--workers', '65'], /Expected at most 64/],
    [['run', 'hundred', '--workers', '11'], /"hundred" has 10 for 11 shards/],
    [['run', '--verify', '--shard', '1/2', '-p', 'http://x'], /a shard cannot be verified alone/],
    [['worker'], /only another loadgen starts one/],
    [['report', 'a', 'b', 'c'], /expected one report, or two to compare, got 3/],
    [['run', '--verify', '--ledger', 'x'], /--verify, --ledger: needs --prometheus/],
    [['run', '--target', 'localhost'], /--target: expected a URL/],
    [['run', '--prometheus', 'localhost:9090'], /--prometheus: expected a URL/],
    [['run', 'hundred', '--duration', '5s'], /--duration: "hundred" sends an exact number/],
    [['run', './gone.yaml'], /cannot read the pattern file/],
    [['run', '--speed', '9'], /unknown option '--speed'/],
    [['attack'], /unknown command 'attack'/],
    [['verify', '--ledger', 'x'], /required option '-p, --prometheus <url>' not specified/],
    [['schema', 'x'], /Allowed choices are pattern, report/],
  ])('%j', async (args, message) => {
    const { code, err } = await loadgen(args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('the other commands', () => {
  it('list names every pattern', async () => {
    const { out } = await loadgen(['list']);
    expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'lab',
      'hundred',
      'not-found',
      'steady',
      'ramp',
      'rolling',
      'spike',
      'soak',
      'crud',
      'mixed',
      '',
    ]);
  });

  it('validate says ok, or the mistakes of all files', async () => {
    const [good, bad] = [join(folder, 'good.yaml'), join(folder, 'bad.yaml')];
    await writeFile(good, 'targets: [{path: /, count: 1}]');
    await writeFile(bad, 'targets: [{path: x, count: 0}]');
    expect(await loadgen(['validate', good])).toEqual({ code: 0, out: `${good}: ok\n`, err: '' });
    const { code, err } = await loadgen(['validate', good, bad]);
    expect(code).toBe(2);
    expect(err.trim().split('\n')).toHaveLength(2);
  });

  it.each(['pattern', 'report'])(
    'the committed schema of the %s is the one that the code has',
    async (what) => {
      const committed = await readFile(new URL(`../${what}.schema.json`, import.meta.url), 'utf8');
      expect((await loadgen(['schema', what])).out).toBe(committed);
    },
  );

  it('the example file is valid', async () => {
    const example = new URL('../patterns/checkout.yaml', import.meta.url).pathname;
    expect((await loadgen(['validate', example])).code).toBe(0);
  });

  it.each([['--help'], ['run', '--help'], ['verify', '--help']])(
    '%s %s teaches, and ends with 0',
    async (...args) => {
      const { code, out } = await loadgen(args);
      expect(code).toBe(0);
      expect(out).toContain('Usage: loadgen');
    },
  );
});
