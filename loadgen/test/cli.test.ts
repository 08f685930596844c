import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { reportSchema } from '../src/report/report.ts';
import { loadgen, useLab } from './loadgen.ts';
import { closedPort, serveHttp } from './servers.ts';

const lab = useLab();
const verified = (words: string) => lab.run(`${words} ${lab.prometheus}`);

/** Does something once, at the n-th request. */
function atRequest(nth: number, act: () => void): void {
  let requests = 0;
  lab.stack.api.intercept = () => {
    if (++requests === nth) act();
    return false;
  };
}

describe('loadgen run with Prometheus', () => {
  it('sends the lab and verifies it, in a table without control characters', async () => {
    const { code, out, err } = await verified('lab');
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
    lab.stack.api.count('http_requests_total{path="cart",method="get"}', 1000);
    expect(await verified('hundred')).toMatchObject({ code: 0 });
  });

  it('fails and names the series when another client sends a request in between', async () => {
    atRequest(1, () => lab.stack.api.count('http_requests_total{path="cars",method="get"}'));
    const { code, out } = await verified('hundred');
    expect(code).toBe(1);
    expect(out).toContain('path="cars" method="get"                     0        1          +1');
    expect(out).toMatch(
      /FAILED: 1 of \d+ series differ.*\n {2}http_requests_total{path="cars",method="get"}: counted 1 more than sent/,
    );
  });

  it('waits for what the API counts a little later than it answers', async () => {
    atRequest(1, () => {
      lab.stack.api.count('inprogress_requests');
      setTimeout(() => lab.stack.api.count('inprogress_requests', -1), 300);
    });
    expect(await verified('hundred')).toMatchObject({ code: 0 });
  });

  it('is unverifiable after a restart in between, and names the instance and how much is lost', async () => {
    atRequest(50, () => lab.stack.api.restart());
    const { code, out } = await verified('hundred');
    expect(code).toBe(1);
    expect(out).toMatch(
      /unverifiable:\n {2}api-1:8000 ended without being drained: at most \d+ requests that it answered after its last scrape are lost/,
    );
    // What is missing might still have come, from a replica that has just started: that is waited for.
  }, 40_000);

  it('is inconclusive where a request got no answer', async () => {
    let requests = 0;
    lab.stack.api.intercept = (request) => {
      if (++requests !== 7) return false;
      request.socket.destroy();
      return true;
    };
    const { code, out } = await verified('hundred');
    expect(code).toBe(1);
    expect(out).toContain('1 x reset (the connection was closed before the answer was complete)');
    expect(out).toContain('verification inconclusive: 1 of 100 requests got no complete answer');
  });

  it('sends nothing to an API that is not fresh, and shows what the ledger verifies', async () => {
    const words = `lab --only-on-fresh-api ${lab.ledger}`;
    const nothing = 'the API has already handled 133 requests: nothing sent\n';
    expect((await verified(words)).out).toContain('verified: 133 requests');
    const counted = new Map(lab.stack.api.values);
    expect(await verified('lab --only-on-fresh-api')).toMatchObject({ code: 0, out: nothing });
    const [first, table] = (await verified(words)).out.split(/(?<=nothing sent\n)/);
    expect(first).toBe(nothing);
    expect(table).toMatch(/^series [\s\S]+\nverified: 133 requests, every one counted exactly once\n$/);
    expect(lab.stack.api.values).toEqual(counted);
    lab.stack.api.count('http_requests_total{path="cart",method="get"}');
    expect(await verified(words)).toMatchObject({ code: 0, out: nothing });
  });

  it('ends with 3 and the URL when Prometheus is away, having sent nothing', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const { code, err } = await lab.run(`lab --prometheus ${url} --wait 100ms`);
    expect(code).toBe(3);
    expect(err).toContain(`Prometheus at ${url} did not answer: connect ECONNREFUSED`);
    expect(lab.stack.api.values.size).toBe(1);
  });

  it('reports at once what answers where something else than Prometheus listens', async () => {
    const startedMs = performance.now();
    const { url } = lab.stack.target;
    const { code, err } = await lab.run(`lab --prometheus ${url} --wait 20s`);
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
      else void lab.stack.prometheus.handle(request, response);
    });
    const { code } = await lab.run(`hundred --prometheus ${starting.url}`);
    await starting.stop();
    expect(code).toBe(0);
  });

  it('ends with 3 and the instance when Prometheus cannot scrape the API', async () => {
    lab.stack.prometheus.isTargetUp = false;
    const { code, err } = await verified('hundred --wait 300ms');
    expect(code).toBe(3);
    expect(err).toContain('api-1:8000 is down (up = 0)');
  });

  it('shows what was sent when Prometheus goes away in the middle', async () => {
    const { observer } = lab.stack;
    atRequest(1, () => void observer.stop());
    const { code, out, err } = await lab.run(`hundred --prometheus ${observer.url} --wait 300ms`);
    expect(code).toBe(3);
    expect(out).toContain('hundred: 100 requests sent');
    expect(err).toContain('not verified: Prometheus at');
  });
});

describe('loadgen verify', () => {
  const verify = (words = '') => loadgen(`verify ${lab.prometheus} ${lab.ledger}${words}`);

  it('sends nothing and verifies all runs together', async () => {
    await verified(`hundred ${lab.ledger}`);
    await verified(`not-found --no-verify ${lab.ledger}`);
    const counted = new Map(lab.stack.api.values);
    const { code, out } = await verify();
    expect(out).toMatch(/^2 runs in the ledger\n/);
    expect(out).toMatch(/\nverified: 133 requests, every one counted exactly once\n$/);
    expect([code, lab.stack.api.values]).toEqual([0, counted]);
  });

  it('fails and names the series after a request of another client, until a rebase', async () => {
    await verified(`hundred ${lab.ledger}`);
    await (await fetch(`${lab.stack.target.url}/cart`)).text();
    const failed = await verify();
    expect(failed.code).toBe(1);
    expect(failed.out).toContain('http_requests_total{path="cart",method="get"}: counted 1 more than sent');
    expect(failed.err).toContain('a new ledger begun, with: verify --rebase');
    expect(await verify(' --rebase')).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it('takes reports instead of a folder', async () => {
    await verified(`hundred --json ${lab.at('a.json')}`);
    expect(await loadgen(`verify ${lab.at('a.json')} ${lab.prometheus}`)).toMatchObject({ code: 0 });
  });

  it('without a run to compare ends with 1, without a ledger with 2, without Prometheus with 3', async () => {
    await verified(`hundred ${lab.ledger}`);
    lab.stack.api.restart();
    const nothing = 'nothing to verify: the ledger holds no run since the API started';
    expect(await verify()).toMatchObject({ code: 1, err: expect.stringContaining(nothing) });
    const noFolder = await loadgen(`verify ${lab.prometheus} --ledger ${lab.at('nope')}`);
    expect(noFolder.code).toBe(2);
    const noLedger = await loadgen(`verify ${lab.prometheus}`);
    expect(noLedger.err).toContain('needs --ledger <folder>, or reports of runs');
    await lab.stack.observer.stop();
    const away = `Prometheus at ${lab.stack.observer.url} did not answer`;
    expect(await verify(' --wait 200ms')).toMatchObject({ code: 3, err: expect.stringContaining(away) });
  });
});

describe('loadgen run without Prometheus', () => {
  it('writes a report that its schema accepts, to a file or to standard output', async () => {
    const { out } = await lab.run(`hundred --json ${lab.at('a.json')}`);
    expect(out).toContain('hundred: 100 requests sent');
    const report = reportSchema.parse(JSON.parse(await readFile(lab.at('a.json'), 'utf8')));
    const statuses = { 200: 50, 201: 50 };
    expect(report.phases[0]).toMatchObject({ sent: 100, answered: 100, statuses, unanswered: 0 });
    const piped = await lab.run('hundred --json -');
    expect(reportSchema.parse(JSON.parse(piped.out)).verification).toBeNull();
  });

  it('fails on a threshold that does not hold', async () => {
    const { code, out } = await lab.run('hundred --threshold max<1ms --threshold errors=0');
    expect(code).toBe(1);
    expect(out).toMatch(/max<1ms: FAILED \(.*\)\n.*errors=0: ok \(0\)/);
  });

  it('counts a status that was not expected as an error, and leaves it to a threshold to fail', async () => {
    const targets = 'targets: [{path: /cart, count: 2, expect: 201}, {path: /missing, count: 3}]';
    const file = await lab.write('own.yaml', targets);
    const { code, out } = await lab.run(file);
    expect(code).toBe(0);
    expect(out).toContain(
      'answered  5   2 x 200   3 x 404\n  errors    5   dropped 0\n            5 x status',
    );
    expect(await lab.run(`${file} --threshold errors<=4`)).toMatchObject({ code: 1 });
  });

  it('paces an exact pattern without losing a request to a lack of connections', async () => {
    const { code, out } = await lab.run('not-found --rate 500 --connections 1');
    expect([code, lab.stack.api.values.get('http_errors_total{code="404"}')]).toEqual([0, 33]);
    expect(out).toContain('asked 500/s on average, at most 1 connection)');
  });

  it('runs a pattern file of the user', async () => {
    const targets = 'targets: [{path: /cart}, {path: /missing, expect: 404}]';
    const file = await lab.write('own.yaml', `stages: [{duration: 200ms, rate: 50}]\n${targets}\n`);
    const { code, out } = await lab.run(file);
    expect([code, out]).toEqual([0, expect.stringContaining('own: 10 requests sent')]);
  });

  it('stops at an interrupt, waits for what is in flight, shows what was done and ends with 130', async () => {
    const controller = new AbortController();
    lab.stack.api.intercept = (_request, response) => {
      controller.abort();
      setTimeout(() => response.end('late'), 50);
      return true;
    };
    const { code, out } = await lab.run('lab -c 1', controller.signal);
    expect(code).toBe(130);
    expect(out).toContain('hundred: 1 request sent');
    expect(out).toContain('answered  1   1 x 200');
    expect(out).toContain('interrupted: the rest was not sent');
    expect(out).not.toContain('not-found');
  });

  it('ends with 3 when nothing listens, or nothing answers', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const refused = await loadgen(`run --target ${url} --wait 100ms`);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain(`${url} did not accept a connection within 0.1 s: connect ECONNREFUSED`);
    const mute = await serveHttp((request) => request.socket.destroy());
    const { code, out } = await loadgen(`run hundred --target ${mute.url}`);
    await mute.stop();
    expect([code, out.includes('answered  0')]).toEqual([3, true]);
  });
});

describe('wrong usage ends with 2 and says what is right', () => {
  it.each([
    ['run hundrd', /no pattern "hundrd"; there are lab, hundred, not-found, steady, .*mixed, and files/],
    ['run constructor nope', /no pattern "constructor".*\nno pattern "nope"/],
    [
      'run --rate fast',
      /'-r, --rate <per second>' argument 'fast' is invalid. Expected a number above 0, or max/,
    ],
    ['run --duration 10', /Expected a duration such as 250ms/],
    ['run --connections 0', /Expected a whole number from 1/],
    ['run --threshold p98<1', /Expected a threshold: p50, p90/],
    ['run --shard 0/2', /Expected a part of at most 1000, from 1, such as 2\/8/],
    ['run --shard 3/2', /Expected a part of at most 1000/],
    ['run --start-at 12:00', /Expected a date and time with its zone/],
    ['run --start-at 2020-01-01T00:00:00Z', /--start-at: expected a moment to come, got one [\d,]+ ms ago/],
    ['run --workers 65', /Expected at most 64/],
    ['run hundred --workers 11', /"hundred" has 10 for 11 shards/],
    ['run --verify --shard 1/2 -p http://x', /a shard cannot be verified alone/],
    ['worker', /only another loadgen starts one/],
    ['report a b c', /expected one report, or two to compare, got 3/],
    ['run --verify --ledger x', /--verify, --ledger: needs --prometheus/],
    ['run --target localhost', /--target: expected a URL/],
    ['run --prometheus localhost:9090', /--prometheus: expected a URL/],
    ['run --json - --html -', /--json, --html: expected "-", standard output, for one of them at most/],
    ['run hundred --duration 5s', /--duration: "hundred" sends an exact number/],
    ['run ./nope.yaml', /cannot read the pattern file/],
    ['run --speed 9', /unknown option '--speed'/],
    ['attack', /unknown command 'attack'/],
    ['verify --ledger x', /required option '-p, --prometheus <url>' not specified/],
    ['schema x', /Allowed choices are pattern, report/],
  ])('%s', async (words, message) => {
    const { code, out, err } = await loadgen(words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});

describe('the other commands', () => {
  it('list names every pattern', async () => {
    const { out } = await loadgen('list');
    expect(out.replaceAll(/ .*$/gm, '')).toBe(
      'lab\nhundred\nnot-found\nsteady\nramp\nrolling\nspike\nsoak\ncrud\nmixed\n',
    );
  });

  it('validate says ok, or the mistakes of all files', async () => {
    const good = await lab.write('good.yaml', 'targets: [{path: /, count: 1}]');
    const bad = await lab.write('bad.yaml', 'targets: [{path: x, count: 0}]');
    expect(await loadgen(['validate', good])).toEqual({ code: 0, out: `${good}: ok\n`, err: '' });
    const { code, err } = await loadgen(['validate', good, bad]);
    expect([code, err.trim().split('\n').length]).toEqual([2, 2]);
  });

  it.each(['pattern', 'report'])('the committed schema of the %s is that of the code', async (what) => {
    const committed = await readFile(new URL(`../${what}.schema.json`, import.meta.url), 'utf8');
    expect((await loadgen(`schema ${what}`)).out).toBe(committed);
  });

  it('the example file is valid', async () => {
    const example = new URL('../patterns/checkout.yaml', import.meta.url).pathname;
    expect(await loadgen(['validate', example])).toMatchObject({ code: 0 });
  });

  it.each(['--help', 'run --help', 'verify --help'])('%s teaches, and ends with 0', async (words) => {
    const { code, out } = await loadgen(words);
    expect([code, out]).toEqual([0, expect.stringContaining('Usage: loadgen')]);
  });
});
