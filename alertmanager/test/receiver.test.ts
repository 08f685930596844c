import { once } from 'node:events';
import { type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createReceiver } from '../receiver/receiver.mjs';

const runbook = '# Runbook\n\nFirst.\n\n## ApiDown\n\nDo <this>.\n';
const apiDown = {
  status: 'firing',
  labels: { alertname: 'ApiDown', severity: 'page', job: 'api' },
  annotations: {
    summary: 'No replica answers',
    description: 'All fail.',
    runbook_url: 'docs/runbook.md#apidown',
  },
};

let lines: string[];
let server: Server;
let base: string;

beforeEach(async () => {
  lines = [];
  server = createReceiver({
    runbook,
    log: (line) => lines.push(line),
    now: () => new Date('2026-01-02T03:04:05Z'),
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await once(server.close(), 'close');
});

const post = (body: unknown) =>
  fetch(`${base}/alerts`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
const page = async (path = '/') => (await fetch(base + path)).text();

describe('POST /alerts', () => {
  it('writes a line and shows the alert with a link to its section of the runbook', async () => {
    expect((await post({ receiver: 'page', alerts: [apiDown] })).status).toBe(200);

    expect(lines).toEqual(['firing ApiDown to page: No replica answers (severity=page job=api)']);
    const shown = await page();
    expect(shown).toContain('<article class="firing page">');
    expect(shown).toContain('<h2>firing: ApiDown</h2>');
    expect(shown).toContain('All fail. <a href="/docs/runbook.md#apidown">Runbook</a>');
    expect(shown).toContain('2026-01-02T03:04:05.000Z to <b>page</b> job=api');
  });

  it('shows the newest first and forgets all but the last hundred', async () => {
    for (let i = 1; i <= 101; i++) {
      await post({ receiver: 'page', alerts: [{ ...apiDown, labels: { alertname: `Number${i}.` } }] });
    }
    const shown = [...(await page()).matchAll(/firing: Number(\d+)\./g)].map(([, number]) => Number(number));
    expect(shown).toHaveLength(100);
    expect([shown[0], shown.at(-1)]).toEqual([101, 2]);
  });

  it('takes what a label says for text, on the page and in the log', async () => {
    const labels = {
      alertname: '<script>alert(1)</script>',
      severity: '"><b>',
      job: 'a\nfiring Forged to page',
    };
    await post({
      receiver: 'page',
      alerts: [{ ...apiDown, labels, annotations: { runbook_url: 'javascript:alert(1)' } }],
    });
    const shown = await page();
    expect(shown).not.toMatch(/<script|"><b>|href="javascript/);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('\n');
  });

  it.each([
    ['no JSON', '{'],
    ['no object', 'null'],
    ['no alerts', { receiver: 'page' }],
    ['a status of its own', { receiver: 'page', alerts: [{ ...apiDown, status: 'odd' }] }],
    ['a label that is no text', { receiver: 'page', alerts: [{ ...apiDown, labels: { alertname: 1 } }] }],
    ['an alert that is nothing', { receiver: 'page', alerts: [null] }],
  ])('refuses %s with 400 and shows nothing', async (_what, body) => {
    expect((await post(body)).status).toBe(400);
    expect(lines).toEqual([]);
    expect(await page()).toContain('None yet.');
  });

  it.each([
    ['says so', { 'content-length': String(1024 * 1024 + 1) }, ''],
    ['is', {}, 'x'.repeat(1024 * 1024 + 1)],
  ])(
    'refuses a body that %s longer than a mebibyte with 413, before it ends',
    async (_how, headers, body) => {
      const upload = request(`${base}/alerts`, { method: 'POST', headers });
      upload.flushHeaders();
      upload.write(body);
      const [response] = (await once(upload, 'response')) as [IncomingMessage];
      upload.destroy();
      expect(response.statusCode).toBe(413);
      expect(await page()).toContain('None yet.');
    },
  );

  it('survives a client that leaves in the middle of its body', async () => {
    const upload = request(`${base}/alerts`, { method: 'POST', headers: { 'content-length': '100' } });
    const closed = once(upload, 'error');
    const arrived = once(server, 'request');
    upload.write('{');
    await arrived;
    upload.destroy(new Error('gone'));
    await closed;
    expect(await page()).toContain('None yet.');
  });
});

it('serves the runbook at the path that alerts link to, each section under its id', async () => {
  const shown = await page('/docs/runbook.md');
  expect(shown).toContain('<section id="apidown"><h2>ApiDown</h2>');
  expect(shown).toContain('Do &#60;this&#62;.');
});

it.each([
  ['GET', '/healthz', 200],
  ['GET', '/', 200],
  ['POST', '/', 405],
  ['GET', '/alerts', 405],
  ['GET', '/other', 404],
  ['GET', '/constructor', 404],
])('answers %s %s with %i', async (method, path, status) => {
  expect((await fetch(base + path, { method })).status).toBe(status);
});
