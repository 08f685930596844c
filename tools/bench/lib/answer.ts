/** Calls a listener with a request but without a connection, so that only the work of the listener remains. */
import { once } from 'node:events';
import { IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';

/** @returns the body of the response to `method url` */
export async function answerOf(
  listener: RequestListener,
  url: string,
  method = 'get',
  headers: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const request = new IncomingMessage(new Socket());
  request.method = method.toUpperCase();
  request.url = url;
  Object.assign(request.headers, headers);
  const response = new ServerResponse(request);
  const written: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  response.assignSocket(sink as unknown as Socket);
  const finished = once(response, 'finish');
  listener(request, response);
  await finished;
  response.emit('close');
  const answer = Buffer.concat(written);
  return answer.subarray(answer.indexOf('\r\n\r\n') + 4);
}
