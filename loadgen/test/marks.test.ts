import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMarksHandler } from '../src/marks/handler.ts';
import { createMarks } from '../src/marks/marks.ts';
import { sendMark } from '../src/run/annotate.ts';
import { closedPort, serveHttp, type TestServer, until } from './servers.ts';

let nowMs: number;
let server: TestServer;

beforeEach(async () => {
  nowMs = 1_764_000_000_123;
  server = await serveHttp(createMarksHandler(createMarks(() => nowMs)));
});
afterEach(() => server.stop());

const post = (body: string) => fetch(`${server.url}/marks`, { method: 'POST', body });
const read = async () => (await fetch(`${server.url}/metrics`)).text();
const samples = async () => (await read()).split('\n').filter((line) => /^[^#]/.test(line));

describe('the server of the marks', () => {
  it('shows what it was told, each with the moment at which it came', async () => {
    const warnings: string[] = [];
    await sendMark(server.url, 'start', 'lab', (text) => warnings.push(text));
    nowMs += 2_000;
    await sendMark(server.url, 'end', 'lab', (text) => warnings.push(text));
    expect(warnings).toEqual([]);
    expect(
      await read(),
    ).toBe(`# HELP loadgen_run_start_time_seconds When the sending of a load run's pattern had its start, in Unix seconds
# TYPE loadgen_run_start_time_seconds gauge
loadgen_run_start_time_seconds{pattern="lab"} 1764000000.123 1764000000123
# HELP loadgen_run_end_time_seconds When the sending of a load run's pattern had its end, in Unix seconds
# TYPE loadgen_run_end_time_seconds gauge
loadgen_run_end_time_seconds{pattern="lab"} 1764000002.123 1764000002123
`);
  });

  it('keeps the last start of a pattern, and that for a minute', async () => {
    await post('{"moment": "start", "pattern": "a"}');
    nowMs += 1_000;
    await post('{"moment": "start", "pattern": "a"}');
    expect(await samples()).toEqual([
      'loadgen_run_start_time_seconds{pattern="a"} 1764000001.123 1764000001123',
    ]);
    nowMs += 60_000;
    expect(await samples()).toEqual([]);
  });

  it('cannot be filled with names: of a thousand it keeps the last fifty', async () => {
    for (let n = 0; n < 1_000; n++) await post(JSON.stringify({ moment: 'end', pattern: `p${n}` }));
    const kept = (await samples()).map((line) => /"p(\d+)"/.exec(line)?.[1]);
    expect(kept).toEqual(Array.from({ length: 50 }, (_, n) => String(950 + n)));
  });

  it('writes a name so that nothing can be smuggled in with it', async () => {
    await post(JSON.stringify({ moment: 'start', pattern: 'a"} 1\nup{x="\\' }));
    expect(await samples()).toEqual([
      'loadgen_run_start_time_seconds{pattern="a\\"} 1\\nup{x=\\"\\\\"} 1764000000.123 1764000000123',
    ]);
  });

  it.each([
    ['no JSON', 'start'],
    ['another moment', '{"moment": "middle", "pattern": "a"}'],
    ['a time of its own', '{"moment": "start", "pattern": "a", "atMs": 1}'],
    ['nothing', 'null'],
    ['a name that is no text', '{"moment": "start", "pattern": 1}'],
    ['no name', '{"moment": "start", "pattern": ""}'],
    ['a long name', JSON.stringify({ moment: 'start', pattern: 'a'.repeat(101) })],
    ['a giant body', JSON.stringify({ moment: 'start', pattern: 'a', rest: 'x'.repeat(100_000) })],
  ])('refuses %s, and says what it expected', async (_what, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.text()).toBe(
      'expected {"moment": "start" or "end", "pattern": 1 to 100 characters} in at most 1024 bytes\n',
    );
    expect(await samples()).toEqual([]);
  });

  it('knows nothing else', async () => {
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/marks`)).status).toBe(404);
    expect((await fetch(`${server.url}/api/v1/write`, { method: 'POST' })).status).toBe(404);
  });
});

describe('the generator only warns', () => {
  async function warningsOf(url: string): Promise<string[]> {
    const warnings: string[] = [];
    await sendMark(url, 'end', 'lab', (text) => warnings.push(text));
    return warnings;
  }

  it('where the server is away', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    expect(await warningsOf(url)).toEqual([
      expect.stringMatching(`no mark on the dashboards: ${url} did not take it: connect ECONNREFUSED`),
    ]);
  });

  it('where it is something else', async () => {
    const url = `${server.url}/nothing`;
    expect(await warningsOf(url)).toEqual([
      `no mark on the dashboards: ${url} did not take it: 404 not found`,
    ]);
  });
});

describe('the process', () => {
  const start = (port: string) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('../src/marks/main.ts', import.meta.url))], {
      env: { MARKS_PORT: port },
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    return { child, said: () => said };
  };

  it('says its port, and ends with 0 when it is told to', async () => {
    const { child, said } = start('0');
    await until('the port is said', () => /port \d+\n$/.test(said()));
    const port = /port (\d+)/.exec(said())?.[1];
    expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text()).toBe('ok\n');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('ends with 2 and the setting where that is none', async () => {
    const { child, said } = start('many');
    expect(await once(child, 'exit')).toEqual([2, null]);
    await until('it is said', () => said() !== '');
    expect(said()).toBe('MARKS_PORT: expected a port from 0 to 65535, got "many"\n');
  });
});
