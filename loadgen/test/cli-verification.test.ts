/** `run` and `verify` with a Prometheus. */
import { describe, expect, it } from '@jest/globals';
import { freePort } from '../../test/support/free-port.ts';
import { useFakeStack } from './fake-stack.ts';
import { loadgen, useFolder } from './loadgen.ts';

const stack = useFakeStack();
const at = useFolder();
const run = (...args: string[]) => loadgen(['run', ...args, ...stack.toTarget]);
const runVerified = (...args: string[]) => run(...args, ...stack.verified, '--wait', '1m');
const ledger = () => ['--ledger', at('ledger')];
const CART = 'http_requests_total{path="cart",method="get"}';

describe('exact-load run with Prometheus', () => {
  it('sends the lab and verifies it, in a table without control characters', async () => {
    const { code, out, err } = await runVerified('lab');
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

  it("fails and names the series of another client's request", async () => {
    stack.api.beforeRequest(1, () => stack.api.count('http_requests_total{path="cars",method="get"}'));
    const { code, out } = await runVerified('hundred');
    expect(code).toBe(1);
    expect(out).toContain('path="cars" method="get"                     0        1          +1');
    expect(out).toMatch(
      /FAILED: 1 of \d+ series differ.*\n {2}http_requests_total{path="cars",method="get"}: counted 1 more than sent/,
    );
  });

  it('waits for requests that the API counts shortly after the response', async () => {
    stack.api.beforeRequest(1, () => {
      stack.api.count('inprogress_requests');
      setTimeout(() => stack.api.count('inprogress_requests', -1), 300);
    });
    expect(await runVerified('hundred')).toMatchObject({ code: 0 });
  });

  it('is inconclusive about a request without a response', async () => {
    let requests = 0;
    stack.api.intercept = ({ socket }) => {
      if (++requests !== 7) return false;
      socket.destroy();
      return true;
    };
    const { code, out } = await runVerified('hundred');
    expect(code).toBe(1);
    expect(out).toContain('1 x reset (the connection was closed before the response was complete)');
    expect(out).toContain('verification inconclusive: 1 of 100 requests got no complete response');
  });

  it('sends nothing to an API that has handled requests with --only-on-fresh-api, and shows a successful verification of the ledger', async () => {
    const fresh = () => runVerified('lab', '--only-on-fresh-api', ...ledger());
    expect((await fresh()).out).toContain('verified: 133 requests');
    const counted = new Map(stack.api.values);
    const nothing = 'the API has already handled 133 requests: nothing sent\n';
    const { code, out } = await fresh();
    expect({ code, out: out.slice(0, nothing.length) }).toEqual({ code: 0, out: nothing });
    expect(out).toContain('\nverified: 133 requests, every one counted exactly once\n');
    expect(stack.api.values).toEqual(counted);
    stack.api.count(CART);
    stack.api.count('http_request_duration_seconds_count{path="cart",method="get",code="200"}');
    expect((await fresh()).out).toBe(nothing.replace('133', '134'));
  });
});

describe('an unreachable Prometheus', () => {
  it('ends a run with 3 and the URL, before anything is sent', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, err } = await run('--prometheus', url, '--wait', '100ms');
    expect([code, err]).toEqual([
      3,
      expect.stringContaining(`Prometheus at ${url} did not answer: connect ECONNREFUSED`),
    ]);
    expect(stack.api.handled).toBe(0);
  });

  it('is not retried if another server responds, which the error states', async () => {
    const { url } = stack.target;
    let asked = 0;
    stack.api.intercept = () => {
      asked++;
      return false;
    };
    const { code, err } = await run('--prometheus', url, '--wait', '20s');
    expect([code, asked]).toEqual([3, 1]);
    expect(err).toContain(
      `--prometheus: the server at ${url} is not Prometheus, or blocks this query: ` +
        '/api/v1/query returned 404 ok',
    );
  });

  it('does not prevent the summary if it fails during the run', async () => {
    stack.api.beforeRequest(1, () => stack.observer.stop());
    const { code, out, err } = await run('hundred', ...stack.verified, '--wait', '5s');
    expect([code, out]).toEqual([3, expect.stringContaining('hundred: 100 requests sent')]);
    expect(err).toContain('not verified: Prometheus at');
  });
});

describe('exact-load verify', () => {
  const verify = (...args: string[]) =>
    loadgen(['verify', ...stack.verified, '--wait', '1m', ...ledger(), ...args]);

  it('sends nothing and verifies all runs together', async () => {
    await runVerified('hundred', ...ledger());
    await runVerified('not-found', '--no-verify', ...ledger());
    const counted = new Map(stack.api.values);
    const { code, out } = await verify();
    expect(out).toMatch(/^2 runs in the ledger\n/);
    expect(out).toMatch(/\nverified: 133 requests, every one counted exactly once\n$/);
    expect([code, stack.api.values]).toEqual([0, counted]);
  });

  it('fails and names the series of a request of another client, until a rebase', async () => {
    await runVerified('hundred', ...ledger());
    await (await fetch(`${stack.target.url}/cart`)).text();
    const { code, out, err } = await verify();
    expect([code, out]).toEqual([1, expect.stringContaining(`${CART}: counted 1 more than sent`)]);
    expect(err).toContain('the baseline of a new ledger: verify --rebase');
    expect(await verify('--rebase')).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it('accepts reports instead of a folder', async () => {
    await runVerified('hundred', '--json', at('a.json'));
    expect(await loadgen(['verify', at('a.json'), ...stack.verified])).toMatchObject({ code: 0 });
  });

  it('ends with 1 if there is no run to compare', async () => {
    await runVerified('hundred', ...ledger());
    stack.api.restart();
    const err = expect.stringContaining('nothing to verify: the ledger has no run since the API started');
    expect(await verify()).toMatchObject({ code: 1, err });
  });
});
