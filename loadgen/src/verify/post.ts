/**
 * One POST of a form, over HTTP or HTTPS. Not `fetch`, which takes neither a certificate authority of the caller's nor every
 * port. It follows no redirect: credentials are for the server they were given for.
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

export interface PostOptions {
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
  /** PEM, in the place of the system's authorities. */
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
}

/** @throws what went wrong on the way, as Node has it */
export async function post(url: URL, { form, authorization, ca, signal }: PostOptions): Promise<Answer> {
  const body = form.toString();
  const options: RequestOptions & { ca?: string } = {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
      ...(authorization !== undefined && { authorization }),
    },
    ...(ca !== undefined && { ca }),
    signal,
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, resolve);
    request.once('error', reject);
    request.end(body);
  });
  const { statusCode = 0, headers } = response;
  return { status: statusCode, text: await text(response), location: headers.location };
}
