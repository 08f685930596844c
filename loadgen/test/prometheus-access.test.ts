import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { certificate, privateKey } from '../../test/support/certificate.ts';
import { loadgen, useLab } from './loadgen.ts';
import { listen, serveHttp, type TestServer } from './servers.ts';

const lab = useLab();
let guarded: TestServer;
/** What each request to Prometheus gave as its credentials. */
let given: (string | undefined)[] = [];
let accepted = '';

beforeEach(async () => {
  given = [];
  accepted = '';
  guarded = await serveHttp((request, response) => {
    given.push(request.headers.authorization);
    if (request.headers.authorization === accepted) void lab.stack.prometheus.handle(request, response);
    else response.writeHead(401).end('go away');
  });
});
afterEach(() => guarded.stop());

const PASSWORD = 'pa:ss w%rd@home';
const userinfo = () => `http://ann:${encodeURIComponent(PASSWORD)}@127.0.0.1:${guarded.port}`;
const query = (words: string, env = {}) => loadgen(`query up{job="api"} ${words}`, undefined, env);

describe('basic credentials in the URL of --prometheus', () => {
  it('are sent, and appear in no output, report, page or ledger', async () => {
    accepted = `Basic ${Buffer.from(`ann:${PASSWORD}`).toString('base64')}`;
    const [json, html] = [lab.at('a.json'), lab.at('a.html')];
    const words = `hundred --json ${json} --html ${html} ${lab.ledger} -p ${userinfo()}`;
    const { code, out, err } = await lab.run(words);
    expect(code).toBe(0);
    const [entry = ''] = await readdir(lab.at('ledger'));
    const files = [json, html, lab.at(`ledger/${entry}`)];
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    for (const text of [out, err, ...texts]) expect(text).not.toMatch(/ann:|pa:ss|pa%3Ass/);
    expect(texts[0]).toContain(`"prometheus": "http://127.0.0.1:${guarded.port}"`);
  });

  it('that are refused end the command at once, with 3', async () => {
    const { code, err } = await lab.run(`-p ${userinfo()}`);
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
  const err = expect.stringContaining(`expected ${expected}, got "${shown}"`);
  expect(await loadgen(['query', 'up', '-p', url])).toEqual({ code: 2, out: '', err });
});

describe('a server that repeats what it was sent', () => {
  const SECRETS = [
    ['Bearer t0ken', { PROMETHEUS_TOKEN: 't0ken' }, ''],
    [`Basic ${Buffer.from('ann:pw').toString('base64')}`, {}, 'ann:pw@'],
  ] as const;
  it.each([400, 404, 429, 500])('with status %i has no credentials of it shown', async (status) => {
    for (const [credentials, env, user] of SECRETS) {
      const echo = await serveHttp((request, response) => {
        const error = `got ${request.headers.authorization}`;
        const refusal = JSON.stringify({ status: 'error', errorType: 'bad_data', error });
        response.writeHead(status).end(status === 400 ? refusal : error);
      });
      const { err } = await query(`-p ${echo.url.replace('//', `//${user}`)}`, env);
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
    else void lab.stack.prometheus.handle(request, response);
  });
  const { code, out } = await lab.run(`hundred -p ${limited.url}`);
  await limited.stop();
  expect([code, out]).toEqual([0, expect.stringContaining('100 requests, every one counted exactly once')]);
});

describe('a bearer token', () => {
  it('comes from a file, which is read again for each request', async () => {
    accepted = 'Bearer first';
    const file = await lab.write('token', 'first\n');
    lab.stack.api.intercept = () => {
      if (accepted === 'Bearer first') void writeFile(file, 'second\n');
      accepted = 'Bearer second';
      return false;
    };
    const words = `hundred -p ${guarded.url} --prometheus-token-file ${file}`;
    expect(await lab.run(words)).toMatchObject({ code: 0 });
    expect([given[0], given.at(-1)]).toEqual(['Bearer first', 'Bearer second']);
  });

  it('comes from PROMETHEUS_TOKEN', async () => {
    accepted = 'Bearer abc.def';
    const asked = await query(`-p ${guarded.url}`, { PROMETHEUS_TOKEN: 'abc.def' });
    expect(asked.code).toBe(0);
  });

  it.each(['two words', '', 'line\nbreak', 'schl\u00fcssel'])(
    'that is none ends with 2 and is not shown: %j',
    async (text) => {
      const file = await lab.write('token', text);
      expect(await query(`-p ${guarded.url} --prometheus-token-file ${file}`)).toMatchObject({
        code: 2,
        err: '--prometheus-token-file: expected a bearer token on one line, got something else\n',
      });
    },
  );

  it('in the place of its file is not shown either', async () => {
    const err = '--prometheus-token-file: expected a file that can be read, got ENOENT\n';
    const asked = await query(`-p ${guarded.url} --prometheus-token-file eyJhbGciOi`);
    expect(asked).toMatchObject({ code: 2, err });
  });

  it('that is missing is asked for', async () => {
    const remedy =
      'asks for credentials: give user and password in the URL, --prometheus-token-file or PROMETHEUS_TOKEN';
    expect(await query(`-p ${guarded.url}`)).toMatchObject({ code: 3, err: expect.stringContaining(remedy) });
  });
});

describe('a Prometheus behind TLS', () => {
  let secure: TestServer;
  beforeEach(async () => {
    const options = { key: privateKey, cert: certificate };
    secure = await listen(createTlsServer(options, lab.stack.prometheus.handle), 'https');
  });
  afterEach(() => secure.stop());

  it('is trusted by --prometheus-ca-file', async () => {
    const file = await lab.write('ca.pem', certificate);
    expect(await query(`-p ${secure.url} --prometheus-ca-file ${file}`)).toMatchObject({ code: 0 });
  });

  it('with an unknown certificate ends the command at once, with the remedy', async () => {
    const startedMs = performance.now();
    const err = expect.stringMatching(/self-signed certificate.* \(see --prometheus-ca-file\)\n$/);
    expect(await lab.run(`-p ${secure.url}`)).toMatchObject({ code: 3, err });
    expect(performance.now() - startedMs).toBeLessThan(20_000);
  });

  it('needs a file of certificates', async () => {
    const file = await lab.write('ca.pem', 'no certificate');
    const err = `--prometheus-ca-file: expected certificates in PEM, got something else in ${file}\n`;
    expect(await query(`-p ${secure.url} --prometheus-ca-file ${file}`)).toMatchObject({ code: 2, err });
  });
});

it('names where a redirect leads, and follows none', async () => {
  const server = await serveHttp((_request, response) =>
    response.writeHead(302, { location: 'http://ann:pw@login.example/' }).end(),
  );
  const err = expect.stringContaining('gave 302, a redirect to http://***@login.example/,');
  expect(await query(`-p ${server.url}`)).toMatchObject({ code: 3, err });
  await server.stop();
});
