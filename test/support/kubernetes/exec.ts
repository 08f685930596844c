/** `kubectl exec` for the tests' API server: sends a command's output and exit status over a WebSocket, and reads nothing. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

export interface Executed {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** The first byte of a message is its channel. */
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;
const BINARY = 0x82;
const CLOSE = 0x88;

function frame(kind: number, payload: Buffer): Buffer {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 2 : 10);
  header[0] = kind;
  header[1] = length < 126 ? length : 127;
  if (length >= 126) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}
const message = (channel: number, text: string) =>
  frame(BINARY, Buffer.concat([Buffer.of(channel), Buffer.from(text)]));

export async function answerExec(
  request: IncomingMessage,
  socket: Duplex,
  execute: (words: string[]) => Promise<Executed>,
): Promise<void> {
  // Discards the client's data, but notices its end.
  socket.on('error', () => {}).resume();
  const { searchParams } = new URL(request.url ?? '', 'http://cluster');
  const { stdout, stderr, exitCode } = await execute(searchParams.getAll('command'));
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const causes = [{ reason: 'ExitCode', message: String(exitCode) }];
  const failure = { status: 'Failure', reason: 'NonZeroExitCode', details: { causes } };
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      ...['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Protocol: v5.channel.k8s.io'],
      `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}\r\n\r\n`,
    ].join('\r\n'),
  );
  if (stdout) socket.write(message(STDOUT, stdout));
  if (stderr) socket.write(message(STDERR, stderr));
  socket.write(message(STATUS, JSON.stringify(exitCode === 0 ? { status: 'Success' } : failure)));
  socket.end(frame(CLOSE, Buffer.of(0x03, 0xe8)));
}
