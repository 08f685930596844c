/**
 * One request to Prometheus, over HTTP or HTTPS. Not `fetch`, which takes neither a certificate authority of the caller nor
 * every port. It follows no redirect: credentials are for the server they were given for.
 */
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Of a redirect. */
  readonly location: string | undefined;
}

export interface ExchangeOptions {
  readonly method: 'GET' | 'POST';
  /** The body of a POST. */
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
  /** PEM, in the place of the system's authorities. */
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
}

/** @throws what went wrong on the way, as Node has it */
export async function exchange(url: URL, options: ExchangeOptions): Promise<Answer> {
  const { method, form, authorization, ca, signal } = options;
  const body = method === 'POST' ? form.toString() : '';
  const request: RequestOptions & { ca?: string } = {
    method,
    headers: {
      ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
      'content-length': Buffer.byteLength(body),
      ...(authorization !== undefined && { authorization }),
    },
    ...(ca !== undefined && { ca }),
    signal,
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    send(url, request, resolve).once('error', reject).end(body);
  });
  const { statusCode = 0, headers } = response;
  return { status: statusCode, text: await text(response), location: headers.location };
}
