/** What the server of the marks answers: `POST /marks` takes one, `GET /metrics` shows them, `GET /healthz` says that it lives. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Mark, type Marks, MOMENTS } from './marks.ts';

const MAX_BODY_BYTES = 1024;
const EXPECTED =
  'expected {"moment": "start" or "end", "pattern": 1 to 100 characters} in at most 1024 bytes\n';

export function createMarksHandler(marks: Marks): RequestListener {
  const routes: Record<string, RequestListener> = {
    'POST /marks': (request, response) => void take(marks, request, response),
    'GET /metrics': (_request, response) => answer(response, 200, marks.text()),
    'GET /healthz': (_request, response) => answer(response, 200, 'ok\n'),
  };
  return (request, response) => {
    const route = routes[`${request.method} ${request.url}`];
    if (route) route(request, response);
    else answer(response, 404, 'not found\n');
  };
}

async function take(marks: Marks, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const mark = toMark(parseJson(await readBody(request)));
  if (mark) marks.add(mark);
  answer(response, mark ? 204 : 400, mark ? '' : EXPECTED);
}

/** @returns undefined for one that is too long, or that broke off */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request) {
      sizeBytes += (chunk as Buffer).length;
      if (sizeBytes > MAX_BODY_BYTES) return undefined;
      chunks.push(chunk as Buffer);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString();
}

/** By hand: zod would take more memory than everything else of this process. @returns undefined for what is none */
function toMark(value: unknown): Mark | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return undefined;
  if (!('moment' in value) || !('pattern' in value)) return undefined;
  const moment = MOMENTS.find((one) => one === value.moment);
  const { pattern } = value;
  if (moment === undefined || typeof pattern !== 'string') return undefined;
  return pattern.length >= 1 && pattern.length <= 100 ? { moment, pattern } : undefined;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'x-content-type-options': 'nosniff',
    })
    .end(text);
}
