import { readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { certificate } from '../../test/support/certificate.ts';
import { useFakeStack } from './fake-stack.ts';
import { loadgen, useFolder } from './loadgen.ts';
import { serveHttp, serveTls, type TestServer } from './servers.ts';

const stack = useFakeStack();
const at = useFolder();
let guarded: TestServer;
/** The credentials of each request to Prometheus. */
let given: (string | undefined)[] = [];
let accepted = '';

beforeEach(async () => {
  given = [];
  accepted = '';
  guarded = await serveHttp((request, response) => {
    given.push(request.headers.authorization);
    if (request.headers.authorization === accepted) stack.prometheus.handle(request, response);
    else response.writeHead(401).end('go away');
  });
});

const run = (...args: string[]) => loadgen(['run', 'hundred', ...stack.toTarget, ...args]);
const query = (url: string, ...args: string[]) => loadgen(['query', 'time()', '-p', url, ...args]);
const queryWith = (PROMETHEUS_TOKEN: string, url: string) =>
  loadgen(['query', 'time()', '-p', url], { env: { PROMETHEUS_TOKEN } });
const toBasic = (userinfo: string) => `Basic ${Buffer.from(userinfo).toString('base64')}`;

describe('basic credentials in the URL of --prometheus', () => {
  const PASSWORD = 'pa:ss w%rd@home';
  const url = () => `http://ann:${encodeURIComponent(PASSWORD)}@127.0.0.1:${guarded.port}`;

  it('are sent, but appear in no output, report, page or ledger', async () => {
    accepted = toBasic(`ann:${PASSWORD}`);
    const [json, html, ledger] = [at('a.json'), at('a.html'), at('ledger')];
    const files = ['--json', json, '--html', html, '--ledger', ledger];
    const { code, out, err } = await run(...files, '-p', url());
    expect(code).toBe(0);
    const [entry = ''] = await readdir(ledger);
    const texts = await Promise.all([json, html, `${ledger}/${entry}`].map((file) => readFile(file, 'utf8')));
    for (const text of [out, err, ...texts]) expect(text).not.toMatch(/ann:|pa:ss|pa%3Ass/);
    expect(texts[0]).toContain(`"prometheus": "${guarded.url}"`);
  });

  it('that are refused end the command immediately, with 3', async () => {
    const refusal = `Prometheus at ${guarded.url} refuses the user and password in --prometheus (401)\n`;
    expect(await run('-p', url())).toEqual({ code: 3, out: '', err: refusal });
    expect(given).toHaveLength(1);
  });
});

it.each([
  ['http://127.0.0.1:0', 'a host, and a port from 1 to 65535', 'http://127.0.0.1:0'],
  ['http://ann:p w@h:99999', 'a URL of http or https, such as http://localhost:9090', 'http://***@h:99999'],
  ['ht\ttp://ann:pw@host', 'a URL of http or https, such as http://localhost:9090', '***@host'],
])('the URL %j is refused, without its credentials', async (url, expected, shown) => {
  const err = expect.stringContaining(`expected ${expected}, got "${shown}"`);
  expect(await query(url)).toEqual({ code: 2, out: '', err });
});

it.each([400, 404, 429, 500])(
  'credentials are not shown if a server repeats them with status %i',
  async (status) => {
    const echo = await serveHttp((request, response) => {
      const error = `got ${request.headers.authorization}`;
      const refusal = JSON.stringify({ status: 'error', errorType: 'bad_data', error });
      response.writeHead(status).end(status === 400 ? refusal : error);
    });
    const bearer = await queryWith('t0ken', echo.url);
    expect(bearer.err).toContain('got Bearer ***');
    expect(bearer.err).not.toContain('t0ken');
    const basic = await query(echo.url.replace('//', '//ann:pw@'));
    expect(basic.err).toContain('got Basic ***');
    expect(basic.err).not.toContain(toBasic('ann:pw'));
  },
);

it.each([429, 503])('retries while Prometheus starts or limits the rate: %i', async (status) => {
  let asked = 0;
  const limited = await serveHttp((request, response) => {
    if (asked++ % 3 === 1) response.writeHead(status).end('slow down');
    else stack.prometheus.handle(request, response);
  });
  const out = expect.stringContaining('100 requests, every one counted exactly once');
  expect(await run('-p', limited.url)).toMatchObject({ code: 0, out });
});

it('reports a redirect, and does not follow it', async () => {
  const location = 'http://ann:pw@login.example/';
  const server = await serveHttp((_, response) => response.writeHead(302, { location }).end());
  const err = expect.stringContaining('returned 302, a redirect to http://***@login.example/,');
  expect(await query(server.url)).toMatchObject({ code: 3, err });
});

describe('a bearer token', () => {
  const fromFile = (name = 'token') => ['--prometheus-token-file', at(name)];

  it('is read from a file again for each request', async () => {
    accepted = 'Bearer first';
    await writeFile(at('token'), 'first\n');
    stack.api.beforeRequest(1, () => {
      void writeFile(at('token'), 'second\n');
      accepted = 'Bearer second';
    });
    expect(await run('-p', guarded.url, ...fromFile())).toMatchObject({ code: 0 });
    expect([given[0], given.at(-1)]).toEqual(['Bearer first', 'Bearer second']);
  });

  it('comes from PROMETHEUS_TOKEN', async () => {
    accepted = 'Bearer abc.def';
    expect(await queryWith('abc.def', guarded.url)).toMatchObject({ code: 0 });
  });

  it.each(['two words', '', 'line\nbreak', 'schl\u00fcssel'])(
    'is not shown if the file contains something else: %j',
    async (text) => {
      await writeFile(at('token'), text);
      const err = '--prometheus-token-file: expected a bearer token on one line, got something else\n';
      expect(await query(guarded.url, ...fromFile())).toMatchObject({ code: 2, err });
    },
  );

  it('given instead of its file is not shown either', async () => {
    const err = '--prometheus-token-file: expected a file that can be read, got ENOENT\n';
    expect(await query(guarded.url, ...fromFile('eyJhbGciOi'))).toMatchObject({ code: 2, err });
  });

  it('that is missing is requested', async () => {
    const remedy = 'requires credentials: expected user and password in the URL, --prometheus-token-file or';
    const err = expect.stringContaining(remedy);
    expect(await query(guarded.url)).toMatchObject({ code: 3, err });
  });
});

describe('a Prometheus behind TLS', () => {
  let secure: TestServer;
  beforeEach(async () => {
    secure = await serveTls(stack.prometheus.handle);
  });

  it('is trusted by --prometheus-ca-file', async () => {
    await writeFile(at('ca.pem'), certificate);
    expect(await query(secure.url, '--prometheus-ca-file', at('ca.pem'))).toMatchObject({ code: 0 });
  });

  it('with an unknown certificate ends the command immediately, with a hint', async () => {
    const err = expect.stringMatching(/self-signed certificate.* \(see --prometheus-ca-file\)\n$/);
    expect(await run('-p', secure.url)).toMatchObject({ code: 3, err });
    expect(secure.accepted()).toBe(1);
  });

  it('needs a file with certificates', async () => {
    await writeFile(at('ca.pem'), 'no certificate');
    const err = `--prometheus-ca-file: expected certificates in PEM, got something else in ${at('ca.pem')}\n`;
    expect(await query(secure.url, '--prometheus-ca-file', at('ca.pem'))).toMatchObject({ code: 2, err });
  });
});
