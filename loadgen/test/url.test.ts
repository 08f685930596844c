/** `exact-load <url>`: a request on the command line, against real servers. */
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { certificate, privateKey } from '../../test/support/certificate.ts';
import { until } from '../../test/support/until.ts';
import { reportSchema } from '../src/report/report.ts';
import { useFakeStack } from './fake-stack.ts';
import { loadgen, useFolder } from './loadgen.ts';
import { serveHttp, serveTls, stopServers } from './servers.ts';

afterEach(stopServers);
const at = useFolder();
const stack = useFakeStack();

/** A server that stores requests. */
async function serveRemembering() {
  const seen: { line: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const { url } = await serveHttp(async (request, response) => {
    const { method, url: path, headers } = request;
    seen.push({ line: `${method} ${path}`, headers, body: await text(request) });
    response.end('ok');
  });
  return { seen, url };
}

async function send(args: readonly string[], stdin?: Readable) {
  const { seen, url } = await serveRemembering();
  const ended = await loadgen([`${url}/users/7?full=1`, '-q', ...args], stdin && { stdin });
  return { ...ended, seen, first: seen[0] };
}

describe('exact-load <url>', () => {
  it('sends exactly -n requests, and prints their summary', async () => {
    const { code, out, err, seen } = await send(['-n', '1000', '-c', '20']);
    expect([code, err, seen.length]).toEqual([0, '', 1000]);
    expect(out).toMatch(/^GET \/users\/7: 1,000 requests sent in [\s\S]+at most|as fast as 20 connections/);
    expect(new Set(seen.map(({ line }) => line))).toEqual(new Set(['GET /users/7?full=1']));
  });

  it('paces -n requests at -r', async () => {
    const { out, seen } = await send(['-n', '30', '-r', '100']);
    expect([seen.length, out]).toEqual([30, expect.stringContaining('planned 100/s on average')]);
  });

  it('sends at a rate for a duration', async () => {
    const { code, out, seen } = await send(['-r', '200', '-d', '500ms', '-c', '100']);
    expect([code, seen.length]).toEqual([0, 100]);
    expect(out).toContain('planned 200/s on average, at most 100 connections');
  });

  it('sends as fast as the connections allow without a rate', async () => {
    const { seen, url } = await serveRemembering();
    const interrupt = new AbortController();
    const ended = loadgen([url, '-q', '-d', '1h', '-c', '2'], interrupt);
    await until('many requests', () => seen.length > 20);
    interrupt.abort();
    const out = expect.stringContaining('as fast as 2 connections allow');
    expect(await ended).toMatchObject({ code: 130, out });
  });

  it.each([
    ['a text', ['-b', 'a=1'], 'POST', undefined, 'a=1'],
    ['a file', ['-X', 'PUT', '-b', '@body.txt'], 'PUT', undefined, '{"é":1}'],
    ['a file of JSON', ['-b', '@body.json'], 'POST', 'application/json', '{"é":1}'],
    ['another type', ['-H', 'content-TYPE: a/b', '-b', '@body.json'], 'POST', 'a/b', '{"é":1}'],
    ['standard input', ['-b', '@-'], 'POST', undefined, 'piped'],
  ])('sends as body %s', async (_, args, method, type, body) => {
    await Promise.all(['body.txt', 'body.json'].map((name) => writeFile(at(name), '{"é":1}')));
    const flags = args.map((arg) => arg.replace(/^@(body.*)/, (_match, name) => `@${at(name)}`));
    const { first } = await send(
      [...flags, '-n', '1'],
      Readable.from([Buffer.from('pip'), Buffer.from('ed')]),
    );
    expect(first).toMatchObject({ line: `${method} /users/7?full=1`, body });
    expect(first?.headers['content-type']).toBe(type);
  });

  it('sends headers, but keeps their values and the body out of the report', async () => {
    const secrets = ['-H', 'Authorization: Bearer s3cret', '-HX-Empty:', '-b', 's3cret'];
    const { first, out } = await send(['-n', '1', ...secrets, '--json', '-']);
    expect(first?.headers).toMatchObject({ authorization: 'Bearer s3cret', 'x-empty': '' });
    const { environment, verification } = reportSchema.parse(JSON.parse(out));
    expect([environment.arguments.slice(4, 6), verification]).toEqual([['-H', 'Authorization: ***'], null]);
    expect(out).not.toContain('s3cret');
  });

  it('verifies as much as possible with --prometheus', async () => {
    const url = `${stack.toTarget[1]}/products`;
    const { code, out } = await loadgen([url, '-n', '7', '-q', ...stack.verified]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^verified/m)]);
    stack.api.beforeRequest(3, () => stack.api.count('http_requests_total{path="products",method="get"}'));
    expect(await loadgen([url, '-n', '7', '-q', ...stack.verified])).toMatchObject({ code: 1 });
  });

  it('ends with 130 if it is interrupted while it reads standard input', async () => {
    const interrupt = new AbortController();
    const ended = loadgen(['http://127.0.0.1:1', '-b', '@-'], {
      stdin: new PassThrough(),
      signal: interrupt.signal,
    });
    interrupt.abort();
    expect(await ended).toMatchObject({ code: 130, err: 'interrupted: nothing was sent\n' });
  });
});

describe('https', () => {
  it.each([
    ['--insecure', 0, ['--insecure']],
    ['the authority', 0, ['--cacert', 'cert.pem']],
    ['a certificate of the client', 0, ['-k', '--cert', 'cert.pem', '--key', 'key.pem']],
    ['no flag, which refuses the unknown certificate', 3, []],
  ])('with %s', async (_, code, flags) => {
    await writeFile(at('cert.pem'), certificate);
    await writeFile(at('key.pem'), privateKey);
    const peers: unknown[] = [];
    const listener: RequestListener = ({ socket }, response) => {
      peers.push((socket as TLSSocket).getPeerCertificate().subject?.CN);
      response.end('ok');
    };
    const { url } = await serveTls(listener, { requestCert: true, rejectUnauthorized: false });
    const files = flags.map((flag) => (flag.endsWith('.pem') ? at(flag) : flag));
    const { code: ended, out } = await loadgen([url, '-n', '3', '-q', ...files]);
    expect([ended, out]).toEqual([code, expect.stringContaining(code === 0 ? '3 x 200' : '3 x tls')]);
    const own = flags.includes('--cert') ? 'localhost' : undefined;
    expect(peers).toEqual(code === 0 ? [own, own, own] : []);
  });
});

describe('a mistake on the command line ends with 2 and an explanation', () => {
  const url = 'http://127.0.0.1:1/';
  it.each([
    [['localhost:3000/x'], 'URL: expected a URL of http or https, such as .*, got "localhost:3000/x"'],
    [['http://ann:s3cret@x/'], 'URL: expected no user or password .*, got "http://\\*\\*\\*@x/"'],
    [[`${url}#top`], `URL: expected no fragment, got "${url}#top"`],
    [[url, '-n', '5', '-d', '1s'], '--requests, --duration: expected one of the two, got both'],
    [[url, '-H', 's3cret s3cret'], '--header: expected "Name: value", got "s3cret ..."'],
    [[url, '-H', 'A b: s3cret'], '--header: expected a header name, got "A b"'],
    [[url, '-H', 'A: 1', '-H', 'A: 2'], '--header: expected each header once, got "A"'],
    [[url, '-H', 'A: 1', '-H', 'a: 2'], '--header: expected each header once .*, got "a"'],
    [[url, '-H', 'Content-Length: 2'], '--header: expected no such header .*, got "Content-Length"'],
    [[url, '-X', 'get'], '--method: expected a method in capitals .*, got "get"'],
    [[url, '-b', '@/gone'], '--body: expected a file that can be read, got "@/gone" \\(ENOENT.*\\)'],
    [[url, '-b', '@/'], '--body: expected a file that can be read, got "@/" \\(EISDIR.*\\)'],
    [[url, '-b', `@${process.execPath}`], '--body: expected at most 67108864 bytes, got more in .*'],
    [[url, '-d', '{"a":1}'], '--duration: expected a duration above 0, such as .*, got ".*"'],
    [[url, '-n', '10000001'], '--requests: expected a whole number from 1 to 10000000, got "10000001"'],
    [[url, '--cert', 'x'], '--cert, --key: expected both, got "--cert" only'],
    [[url, '--cacert', '/gone'], '--cacert: expected a file that can be read, got ENOENT'],
    [
      [url, '--cacert', '/dev/null'],
      '--cacert: expected certificates in PEM, got something else in /dev/null',
    ],
    [['-q', 'run', 'lab'], 'expected flags after "run", got "--quiet" before it'],
    [['run', url], `run: expected patterns, got the URL "${url}"; .*`],
    [[url, '--headr', 'x'], "exact-load: unknown option '--headr'\n\\(Did you mean --header\\?\\)"],
  ])('%j', async (args, message) => {
    const { code, out, err } = await loadgen(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(new RegExp(`^${message}\n$`));
  });

  it('reports a body that is not UTF-8, and a key that does not match', async () => {
    await writeFile(at('body'), Buffer.from([0xff]));
    expect((await loadgen([url, '-b', `@${at('body')}`])).err).toMatch(
      /expected UTF-8, got other bytes in "@/,
    );
    await writeFile(at('cert.pem'), certificate);
    const pair = ['--cert', at('cert.pem'), '--key', at('cert.pem')];
    expect((await loadgen([url, ...pair])).err).toMatch(/--key: expected a private key in PEM without/);
  });
});
