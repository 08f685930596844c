import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { certificate, privateKey } from '../../test/support/certificate.ts';
import { type FakeStack, startFakeStack } from './fake-stack.ts';
import { loadgen } from './loadgen.ts';
import { listen, serveHttp, type TestServer } from './servers.ts';

let stack: FakeStack;
let folder = '';
let guarded: TestServer;
/** What each request to Prometheus gave as its credentials. */
let given: (string | undefined)[] = [];
let accepted = '';

beforeEach(async () => {
  given = [];
  accepted = '';
  stack = await startFakeStack();
  folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
  guarded = await serveHttp((request, response) => {
    given.push(request.headers.authorization);
    if (request.headers.authorization === accepted) void stack.prometheus.handle(request, response);
    else response.writeHead(401).end('go away');
  });
});
afterEach(async () => {
  await guarded.stop();
  await stack.stop();
  await rm(folder, { recursive: true });
});

const PASSWORD = 'pa:ss w%rd@home';
const userinfo = () => `http://ann:${encodeURIComponent(PASSWORD)}@127.0.0.1:${guarded.port}`;
const query = (...args: string[]) => loadgen(['query', 'up{job="api"}', ...args]);

describe('basic credentials in the URL of --prometheus', () => {
  it('are sent, and appear in no output, report, page or ledger', async () => {
    accepted = `Basic ${Buffer.from(`ann:${PASSWORD}`).toString('base64')}`;
    const [json, html, ledger] = [join(folder, 'a.json'), join(folder, 'a.html'), join(folder, 'ledger')];
    const target = ['--target', stack.target.url];
    const files = ['--json', json, '--html', html, '--ledger', ledger];
    const { code, out, err } = await loadgen(['run', 'hundred', ...target, ...files, '-p', userinfo()]);
    expect(code).toBe(0);
    const [entry = ''] = await readdir(ledger);
    const texts = await Promise.all([json, html, join(ledger, entry)].map((file) => readFile(file, 'utf8')));
    for (const text of [out, err, ...texts]) expect(text).not.toMatch(/ann:|pa:ss|pa%3Ass/);
    expect(texts[0]).toContain(`"prometheus": "http://127.0.0.1:${guarded.port}"`);
  });

  it('that are refused end the command at once, with 3', async () => {
    const { code, err } = await loadgen(['run', '-t', stack.target.url, '-p', userinfo()]);
    expect([code, given.length]).toEqual([3, 1]);
    expect(err).toBe(
      `Prometheus at http://127.0.0.1:${guarded.port} refuses the user and password in --prometheus (401)\n`,
    );
  });
});

it.each([
  ['http://127.0.0.1:0', 'a host, and a port from 1 to 65535', 'http://127.0.0.1:0'],
  ['http://ann:p w@h:99999', 'a URL of http or https, such as http://localhost:9090', 'http://***@h:99999'],
  ['ht\ttp://ann:pw@host', 'a URL of http or https, such as http://localhost:9090', '***@host'],
])('the URL %j is refused, without its credentials', async (url, expected, shown) => {
  expect(await loadgen(['query', 'up', '-p', url])).toEqual({
    code: 2,
    out: '',
    err: expect.stringContaining(`expected ${expected}, got "${shown}"`),
  });
});

describe('a server that repeats what it was sent', () => {
  const SECRETS = [
    ['Bearer t0ken', { PROMETHEUS_TOKEN: 't0ken' }, ''],
    [`Basic ${Buffer.from('ann:pw').toString('base64')}`, {}, 'ann:pw@'],
  ] as const;
  it.each([400, 404, 429, 500])('with status %i has no credentials of it shown', async (status) => {
    for (const [credentials, env, userinfo] of SECRETS) {
      const echo = await serveHttp((request, response) => {
        const error = `got ${request.headers.authorization}`;
        const refusal = JSON.stringify({ status: 'error', errorType: 'bad_data', error });
        response.writeHead(status).end(status === 400 ? refusal : error);
      });
      const url = echo.url.replace('//', `//${userinfo}`);
      const { err } = await loadgen(['query', 'up', '-p', url], undefined, env);
      expect(err).toContain(`got ${credentials.split(' ')[0]} ***`);
      expect(err).not.toContain(credentials);
      await echo.stop();
    }
  });
});

it('a Prometheus that limits the rate is asked again', async () => {
  let asked = 0;
  const limited = await serveHttp((request, response) => {
    if (asked++ % 3 === 1) response.writeHead(429).end('slow down');
    else void stack.prometheus.handle(request, response);
  });
  const { code, out } = await loadgen(['run', 'hundred', '-t', stack.target.url, '-p', limited.url]);
  await limited.stop();
  expect(out).toContain('100 requests, every one counted exactly once');
  expect(code).toBe(0);
});

describe('a bearer token', () => {
  it('comes from a file, which is read again for each request', async () => {
    accepted = 'Bearer first';
    const file = join(folder, 'token');
    await writeFile(file, 'first\n');
    const run = [
      'run',
      'hundred',
      '-t',
      stack.target.url,
      '-p',
      guarded.url,
      '--prometheus-token-file',
      file,
    ];
    stack.api.intercept = () => {
      if (accepted === 'Bearer first') void writeFile(file, 'second\n');
      accepted = 'Bearer second';
      return false;
    };
    expect(await loadgen(run)).toMatchObject({ code: 0 });
    expect([given[0], given.at(-1)]).toEqual(['Bearer first', 'Bearer second']);
  });

  it('comes from PROMETHEUS_TOKEN', async () => {
    accepted = 'Bearer abc.def';
    const asked = await loadgen(['query', 'up{job="api"}', '-p', guarded.url], undefined, {
      PROMETHEUS_TOKEN: 'abc.def',
    });
    expect(asked.code).toBe(0);
  });

  it.each(['two words', '', 'line\nbreak', 'schl\u00fcssel'])(
    'that is none ends with 2 and is not shown: %j',
    async (text) => {
      const file = join(folder, 'token');
      await writeFile(file, text);
      expect(await query('-p', guarded.url, '--prometheus-token-file', file)).toMatchObject({
        code: 2,
        err: '--prometheus-token-file: expected a bearer token on one line, got something else\n',
      });
    },
  );

  it('in the place of its file is not shown either', async () => {
    const { code, err } = await query('-p', guarded.url, '--prometheus-token-file', 'eyJhbGciOi');
    expect([code, err]).toEqual([
      2,
      '--prometheus-token-file: expected a file that can be read, got ENOENT\n',
    ]);
  });

  it('that is missing is asked for', async () => {
    const { code, err } = await query('-p', guarded.url);
    expect(code).toBe(3);
    expect(err).toContain(
      'asks for credentials: give user and password in the URL, --prometheus-token-file or',
    );
  });
});

describe('a Prometheus behind TLS', () => {
  let secure: TestServer;
  beforeEach(async () => {
    const options = { key: privateKey, cert: certificate };
    secure = await listen(createTlsServer(options, stack.prometheus.handle), 'https');
  });
  afterEach(() => secure.stop());

  it('is trusted by --prometheus-ca-file', async () => {
    const file = join(folder, 'ca.pem');
    await writeFile(file, certificate);
    expect(await query('-p', secure.url, '--prometheus-ca-file', file)).toMatchObject({ code: 0 });
  });

  it('with an unknown certificate ends the command at once, with the remedy', async () => {
    const startedMs = performance.now();
    const { code, err } = await loadgen(['run', '-t', stack.target.url, '-p', secure.url]);
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(/self-signed certificate.* \(see --prometheus-ca-file\)\n$/),
    ]);
  });

  it('needs a file of certificates', async () => {
    const file = join(folder, 'ca.pem');
    await writeFile(file, 'no certificate');
    expect(await query('-p', secure.url, '--prometheus-ca-file', file)).toMatchObject({
      code: 2,
      err: `--prometheus-ca-file: expected certificates in PEM, got something else in ${file}\n`,
    });
  });
});

it('names where a redirect leads, and follows none', async () => {
  const server = await serveHttp((_request, response) =>
    response.writeHead(302, { location: 'http://ann:pw@login.example/' }).end(),
  );
  const { code, err } = await query('-p', server.url);
  await server.stop();
  expect([code, err]).toEqual([
    3,
    expect.stringContaining('gave 302, a redirect to http://***@login.example/,'),
  ]);
});
