import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parsePattern, readPatternFile } from '../src/pattern/pattern-file.ts';

const minimal = 'stages: [{duration: 1s, rate: 5}]\ntargets: [{path: /}]\n';

function mistakesOf(text: string): string[] {
  try {
    parsePattern('own.yaml', text);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}

describe('a pattern file', () => {
  it('may be YAML, with defaults for what it leaves out', () => {
    expect(parsePattern('own.yaml', minimal)).toEqual({
      description: '',
      stages: [{ durationMs: 1000, fromPerSecond: 5, toPerSecond: 5 }],
      targets: [{ method: 'GET', path: '/', headers: {} }],
      thresholds: [],
    });
  });

  it('may be JSON', () => {
    const pattern = {
      targets: [{ path: '/cart', count: 3, body: { a: [1, null] } }],
      thresholds: ['errors=0'],
    };
    expect(parsePattern('own.json', JSON.stringify(pattern, null, 2))).toMatchObject({
      ...pattern,
      thresholds: [{ metric: 'errors', operator: '=', limit: 0 }],
    });
  });

  it('may repeat itself with aliases', () => {
    const text = `targets: [&t {path: /, count: 1}, ${Array(100).fill('*t').join(', ')}]`;
    expect(parsePattern('own.yaml', text).targets).toHaveLength(101);
  });

  it.each([
    ['without an anchor', 'targets:\n  - *gone\n', 'own.yaml:2:5: no anchor "&gone" before this alias'],
    [
      'inside itself',
      'targets:\n  - {path: /, count: 1, body: &b [*b]}\n',
      'own.yaml:2:35: alias "*b" inside itself',
    ],
    [
      'more than 100 times',
      `targets:\n  - &t {path: /, count: 1}\n${'  - *t\n'.repeat(101)}`,
      'own.yaml:103:5: expected at most 100 aliases',
    ],
    [
      'nested, which multiplies',
      `a: &a [${Array(30).fill('x').join()}]\nb: &b [${Array(30).fill('*a').join()}]\nc: [${Array(30).fill('*b').join()}]\n`,
      'own.yaml:2:29: expected at most 100 aliases',
    ],
  ])('is told the place of an alias %s', (_, text, mistake) => {
    expect(mistakesOf(text)).toEqual([mistake]);
  });

  it('may say its own Host, and no header that would end the request elsewhere', () => {
    const text = (headers: string) => `targets: [{path: /, count: 1, headers: {${headers}}}]`;
    expect(parsePattern('own.yaml', text('host: shop.example')).targets[0]?.headers).toEqual({
      host: 'shop.example',
    });
    expect(mistakesOf(text('content-Length: "3", Transfer-Encoding: chunked, Host: a, HOST: b'))).toEqual([
      'own.yaml:1:57: targets[0].headers.content-Length: expected no such header: is reckoned from the body, found "3"',
      'own.yaml:1:81: targets[0].headers.Transfer-Encoding: expected no such header: bodies are sent with their length, never in chunks, found "chunked"',
      'own.yaml:1:105: targets[0].headers.HOST: expected each header once: in another case it is the same, found "b"',
    ]);
  });

  it('is told all its mistakes at once, each with place, expected and found', () => {
    const text = `description: 5
stages:
  - duration: 10
    rate: fast
  - {duration: 0s, rate: {from: 1}}
targets:
  - path: cart
    method: get
    wieght: 3
    count: 5
    headers: {"bad name": x, Accept: "a\\nb"}
    expect: 99
thresholds: [p98<1ms, errors<1%]
timeout: soon
`;
    expect(mistakesOf(text)).toEqual([
      'own.yaml:1:14: description: expected string, found 5',
      'own.yaml:3:15: stages[0].duration: expected a duration such as 30s, found 10',
      'own.yaml:4:11: stages[0].rate: expected a number, or {from: ..., to: ...}, found "fast"',
      'own.yaml:5:16: stages[1].duration: expected a duration above 0, such as 250ms, 30s, 5m, 1h, found "0s"',
      'own.yaml:5:26: stages[1].rate: expected a number, or {from: ..., to: ...}, found {"from":1}',
      'own.yaml:8:13: targets[0].method: expected a method in capitals, such as GET, and not CONNECT, found "get"',
      'own.yaml:7:11: targets[0].path: expected a path that starts with /, in ASCII without spaces or # (percent-encode them), found "cart"',
      'own.yaml:11:15: targets[0].headers.bad name: expected a header name',
      'own.yaml:11:38: targets[0].headers.Accept: expected a header value on one line, found "a\\nb"',
      'own.yaml:12:13: targets[0].expect: expected number to be >=200, found 99',
      'own.yaml:9:5: targets[0].wieght: not a known key',
      expect.stringMatching(/^own\.yaml:13:14: thresholds\[0\]: expected a threshold: .*, found "p98<1ms"$/),
      'own.yaml:14:10: timeout: expected a duration above 0, such as 250ms, 30s, 5m, 1h, found "soon"',
    ]);
  });

  it.each([
    ['a missing list', 'stages: []\n', 'own.yaml:1:1: targets: expected array, found nothing'],
    ['an empty file', '', 'own.yaml:1:1: the pattern: expected object, found null'],
    [
      'a count next to stages',
      `${minimal}`.replace('{path: /}', '{path: /, count: 1}'),
      'own.yaml:2:28: targets[0].count: expected no count next to stages, found 1',
    ],
    [
      'neither count nor stages',
      'targets: [{path: /}]',
      'own.yaml:1:11: targets[0]: expected a count (or stages in the pattern), found none',
    ],
    [
      'a weight without stages',
      'targets: [{path: /, count: 1, weight: 2}]',
      'own.yaml:1:39: targets[0].weight: expected no weight without stages, found 2',
    ],
    [
      'no rate at all',
      'stages: [{duration: 1s, rate: 0}]\ntargets: [{path: /}]',
      'own.yaml:1:9: stages: expected a rate above 0 in some stage, found [{"duration":"1s","rate":0}]',
    ],
  ])('with %s is refused', (_, text, mistake) => {
    expect(mistakesOf(text)).toContain(mistake);
  });

  it.each([
    ['9007199254740992', '9007199254740992'],
    ['123456789012345680000', '123456789012345680000'],
    ['0x1F', '31'],
    ['1.50', '1.5'],
    ['1e3', '1000'],
    ['+0.1e-6', '1e-7'],
    ['"9007199254740993"', '"9007199254740993"'],
    ['{b: [true, null], a: "\\u00e9"}', '{"b":[true,null],"a":"é"}'],
  ])('sends %s in a body as %s', (written, sent) => {
    const { targets } = parsePattern('own.yaml', `targets: [{path: /, count: 1, body: [${written}]}]`);
    expect(JSON.stringify(targets[0]?.body)).toBe(`[${sent}]`);
  });

  const inexact = 'expected a number that JSON keeps exactly (quote it, or write the body as a text)';
  it.each([
    ['9007199254740993', `${inexact}, found 9007199254740993`],
    ['-9007199254740993', `${inexact}, found -9007199254740993`],
    ['0x20000000000001', `${inexact}, found 0x20000000000001`],
    ['0.12345678901234567890', `${inexact}, found 0.12345678901234567890`],
    ['1e400', `${inexact}, found 1e400`],
    ['1e-400', `${inexact}, found 1e-400`],
    ['-0', `${inexact}, found -0`],
    ['.inf', `${inexact}, found .inf`],
    ['.nan', `${inexact}, found .nan`],
    ['!!int 9007199254740993', `${inexact}, found 9007199254740993`],
    ['{__proto__: 1}', 'expected no key "__proto__": JavaScript has another use for it'],
    ['{"__proto__": {a: 1}}', 'expected no key "__proto__": JavaScript has another use for it'],
    ['{1: a}', 'expected a text as key (quote it)'],
    ['{null: a}', 'expected a text as key (quote it)'],
    ['{[a]: b}', 'expected a text as key (quote it)'],
    ['{a: 1, b: 2, a: 3}', 'expected each key once, found "a" again'],
    ['"\\ud800"', 'expected Unicode text, found half of a surrogate pair'],
    ['!secret a', 'Unresolved tag: !secret'],
    [`${'['.repeat(200)}${']'.repeat(200)}`, 'expected at most 100 levels'],
  ])('does not lose %s in silence', (written, mistake) => {
    const text = `targets:\n- path: /\n  count: 1\n  body: [${written}]\n`;
    const [first = '', ...others] = mistakesOf(text);
    expect([first.replace(/^own\.yaml:4:\d+: /, ''), others]).toEqual([mistake, []]);
  });

  it.each(['[', '- ', '{a: '])(
    'nested without end by "%s" is refused without a stack overflow',
    (opening) => {
      expect(mistakesOf(opening.repeat(50_000))[0]).toMatch(/^own\.yaml:1:\d+: expected at most 100 levels$/);
    },
  );

  it('names the place of what would be lost, in JSON as well, and in headers', () => {
    const text =
      '{"targets": [{"path": "/", "count": 1,\n "headers": {"__proto__": "x"},\n "body": {"id": 9007199254740993}}]}';
    expect(mistakesOf(text)).toEqual([
      'own.yaml:2:14: expected no key "__proto__": JavaScript has another use for it',
      `own.yaml:3:17: ${inexact}, found 9007199254740993`,
    ]);
  });

  it.each(['/a#b', '/a b', '/é', '/a\\tb', 'a', '*', 'http://x/'])('with the path %s is refused', (path) => {
    const [mistake] = mistakesOf(`targets: [{path: "${path}", count: 1}]`);
    expect(mistake).toMatch(
      /^own\.yaml:1:18: targets\[0\]\.path: expected a path that starts with \/, in ASCII without spaces or #/,
    );
  });

  it('may have a duration of nine digits, and not one that is infinite or 0 as a number', () => {
    const of = (duration: string) => `stages: [{duration: ${duration}, rate: 5}]\ntargets: [{path: /}]\n`;
    expect(mistakesOf(of('999999999.999999999h'))).toEqual([]);
    for (const duration of [`${'9'.repeat(400)}h`, `0.${'0'.repeat(400)}1ms`])
      expect(mistakesOf(of(duration))).toEqual([
        expect.stringContaining('own.yaml:1:21: stages[0].duration: expected a duration'),
      ]);
  });

  it('that is no YAML names the place', () => {
    expect(mistakesOf('targets:\n  - path: "/\n')[0]).toMatch(/^own\.yaml:\d+:\d+: Missing closing "quote/);
  });

  it('is read from the disk, and named when it is not there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
    try {
      const file = join(folder, 'own.yaml');
      await writeFile(file, minimal);
      expect((await readPatternFile(file)).targets).toHaveLength(1);
      await writeFile(file, Buffer.from('targets:\n- path: "/\xff"\n', 'latin1'));
      await expect(readPatternFile(file)).rejects.toThrow(`${file}:2:11: expected UTF-8, found other bytes`);
      await writeFile(file, `${minimal}#${'x'.repeat(1024 * 1024)}`);
      await expect(readPatternFile(file)).rejects.toThrow(
        `${file}: expected at most 1048576 bytes, found more`,
      );
      await expect(readPatternFile(`${file}.gone`)).rejects.toThrow(
        /cannot read the pattern file: ENOENT.*own\.yaml\.gone/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
