import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { parsePattern, readPatternFile } from '../src/pattern/pattern-file.ts';
import { useFolder } from './loadgen.ts';

const MINIMAL = 'stages: [{duration: 1s, rate: 5}]\ntargets: [{path: /}]\n';
const parse = (text: string) => parsePattern('own.yaml', text);

/** The mistakes, without the name of the file at the start of each. */
function mistakesOf(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    return (error as Error).message.split('\n').map((mistake) => mistake.slice('own.yaml:'.length));
  }
  return [];
}

describe('a pattern file', () => {
  it('may be YAML, with defaults for missing keys', () => {
    expect(parse(MINIMAL)).toEqual({
      description: '',
      stages: [{ durationMs: 1000, fromPerSecond: 5, toPerSecond: 5 }],
      targets: [{ method: 'GET', path: '/', headers: {} }],
      thresholds: [],
    });
  });

  it('may be JSON', () => {
    const targets = [{ path: '/cart', count: 3, body: { a: [1, null] } }];
    const text = JSON.stringify({ targets, thresholds: ['errors=0'] }, null, 2);
    const thresholds = [{ metric: 'errors', operator: '=', limit: 0 }];
    expect(parse(text)).toMatchObject({ targets, thresholds });
  });

  it('may set its own Host', () => {
    const [target] = parse('targets: [{path: /, count: 1, headers: {host: shop.example}}]').targets;
    expect(target?.headers).toEqual({ host: 'shop.example' });
  });

  it('reports all mistakes at once, each with its place and the expected and received values', () => {
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
      '1:14: description: expected string, got 5',
      '3:15: stages[0].duration: expected a duration such as 30s, got 10',
      '4:11: stages[0].rate: expected a number, or {from: ..., to: ...}, got "fast"',
      '5:16: stages[1].duration: expected a duration above 0, such as 250ms, 30s, 5m, 1h, got "0s"',
      '5:26: stages[1].rate.to: expected a rate per second, got nothing',
      '8:13: targets[0].method: expected a method in capitals other than CONNECT, such as GET, got "get"',
      '7:11: targets[0].path: expected a path that starts with /, in ASCII without spaces or # (percent-encode them), got "cart"',
      '11:15: targets[0].headers.bad name: expected a header name',
      '11:38: targets[0].headers.Accept: expected a header value on one line, got "a\\nb"',
      '12:13: targets[0].expect: expected number to be >=200, got 99',
      '9:5: targets[0].wieght: unknown key',
      expect.stringMatching(/^13:14: thresholds\[0\]: expected a threshold: .*, got "p98<1ms"$/),
      '14:10: timeout: expected a duration above 0, such as 250ms, 30s, 5m, 1h, got "soon"',
    ]);
  });

  it('must not set a header that changes the end of the request', () => {
    const headers = 'content-Length: "3", Transfer-Encoding: chunked, Host: a, HOST: b';
    expect(mistakesOf(`targets: [{path: /, count: 1, headers: {${headers}}}]`)).toEqual([
      '1:57: targets[0].headers.content-Length: expected no such header (the generator sets it from the body), got "3"',
      '1:81: targets[0].headers.Transfer-Encoding: expected no such header (bodies are sent with their length, never in chunks), got "chunked"',
      '1:105: targets[0].headers.HOST: expected each header once (names are case-insensitive), got "b"',
    ]);
  });

  const COUNTED = MINIMAL.replace('/}', '/, count: 1}');
  const SILENT = MINIMAL.replace('5', '0');
  const NO_RATE = 'expected a rate above 0 in at least one stage, got [{"duration":"1s","rate":0}]';
  it.each([
    ['stages: []\n', '1:1: targets: expected array, got nothing'],
    ['', '1:1: the pattern: expected object, got null'],
    [COUNTED, '2:28: targets[0].count: expected no count together with stages, got 1'],
    ['targets: [{path: /}]', '1:11: targets[0]: expected a count (or stages in the pattern), got none'],
    [
      'targets: [{path: /, count: 1, weight: 2}]',
      '1:39: targets[0].weight: expected no weight without stages, got 2',
    ],
    [SILENT, `1:9: stages: ${NO_RATE}`],
    ['targets:\n  - &a {path: /, count: 1}\n  - *a\n', '3:5: expected no alias: write the value itself'],
  ])('with the text %j is refused', (text, mistake) => {
    expect(mistakesOf(text)).toContain(mistake);
  });

  it.each(['/a#b', '/a b', '/é', '/a\\tb', 'a', '*', 'http://x/'])('with the path %s is refused', (path) => {
    const [mistake] = mistakesOf(`targets: [{path: "${path}", count: 1}]`);
    expect(mistake).toContain('1:18: targets[0].path: expected a path that starts with /, in ASCII without');
  });

  it('may have a duration of nine digits, but not one that is infinite or 0 as a number', () => {
    const mistakes = (duration: string) => mistakesOf(MINIMAL.replace('1s', duration));
    expect(mistakes('999999999.999999999h')).toEqual([]);
    const mistake = expect.stringContaining('1:21: stages[0].duration: expected a duration');
    for (const duration of [`${'9'.repeat(400)}h`, `0.${'0'.repeat(400)}1ms`])
      expect(mistakes(duration)).toEqual([mistake]);
  });

  it.each(['[', '- ', '{a: '])(
    'with endless nesting by "%s" is refused without a stack overflow',
    (opening) => {
      expect(mistakesOf(opening.repeat(50_000))[0]).toMatch(/^1:\d+: expected at most 100 levels$/);
    },
  );

  it('that is not YAML is refused with the place', () => {
    expect(mistakesOf('targets:\n  - path: "/\n')[0]).toMatch(/^\d+:\d+: Missing closing "quote/);
  });
});

describe('a body in a pattern file', () => {
  it.each([
    ['9007199254740991', '9007199254740991'],
    ['100000000000000000.0', '100000000000000000'],
    ['0x1F', '31'],
    ['1.50', '1.5'],
    ['1e3', '1000'],
    ['+0.1e-6', '1e-7'],
    ['"9007199254740993"', '"9007199254740993"'],
    ['{b: [true, null], a: "\\u00e9"}', '{"b":[true,null],"a":"é"}'],
  ])('sends %s as %s', (written, sent) => {
    const { targets } = parse(`targets: [{path: /, count: 1, body: [${written}]}]`);
    expect(JSON.stringify(targets[0]?.body)).toBe(`[${sent}]`);
  });

  const inexact = (text: string) =>
    `expected a number that JSON represents exactly (quote it, or write the body as a string), got ${text}`;
  const INEXACT =
    '9007199254740993 -9007199254740993 0x20000000000001 0.12345678901234567890 1.00000000000000001 1e400 1e-400 -0 -0.0 .inf .nan';
  const PROTO = 'expected no key "__proto__" (JavaScript reserves it)';
  const UNQUOTED = 'expected a string as key (quote it)';
  it.each([
    ...INEXACT.split(' ').map((number) => [number, inexact(number)]),
    ['!!int 9007199254740993', inexact('9007199254740993')],
    ['{__proto__: 1}', PROTO],
    ['{"__proto__": {a: 1}}', PROTO],
    ['{1: a}', UNQUOTED],
    ['{null: a}', UNQUOTED],
    ['{[a]: b}', UNQUOTED],
    ['{a: 1, b: 2, a: 3}', 'expected each key once, got "a" again'],
    ['"\\ud800"', 'expected valid Unicode, got half of a surrogate pair'],
    ['!secret a', 'Unresolved tag: !secret'],
    [`${'['.repeat(200)}${']'.repeat(200)}`, 'expected at most 100 levels'],
  ])('does not silently lose %s', (written, mistake) => {
    const mistakes = mistakesOf(`targets:\n- path: /\n  count: 1\n  body: [${written}]\n`);
    expect(mistakes).toEqual([expect.stringMatching(/^4:\d+: /)]);
    expect(mistakes[0]?.replace(/^4:\d+: /, '')).toBe(mistake);
  });

  it('reports the place of a value that would be lost, also in JSON and in headers', () => {
    const body = '"headers": {"__proto__": "x"},\n "body": {"id": 9007199254740993}';
    expect(mistakesOf(`{"targets": [{"path": "/", "count": 1,\n ${body}}]}`)).toEqual([
      `2:14: ${PROTO}`,
      `3:17: ${inexact('9007199254740993')}`,
    ]);
  });
});

describe('a pattern file on the disk', () => {
  const at = useFolder();

  it.each([
    ['not UTF-8', 'targets:\n- path: "/\xff"\n', ': expected UTF-8, got other bytes'],
    ['too large', `${MINIMAL}#${'x'.repeat(1024 * 1024)}`, ': expected at most 1048576 bytes, got more'],
  ])('is reported if it is %s', async (_, text, mistake) => {
    await writeFile(at('own.yaml'), Buffer.from(text, 'latin1'));
    await expect(readPatternFile(at('own.yaml'))).rejects.toThrow(`${at('own.yaml')}${mistake}`);
  });
});
