/** An HTTP client that sends a test's bytes unchanged. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from './until.ts';

/** A connection on which the test writes arbitrary bytes. */
export interface RawClient {
  readonly socket: Socket;
  /** Everything received so far. */
  text(): string;
  send(bytes: string): void;
  /** Polls until `count` responses with a status line have begun to arrive. */
  responses(count: number): Promise<string[]>;
  /** Waits until the server has closed the connection. */
  closed(): Promise<void>;
}

export async function connectRaw(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let isClosed = false;
  socket.setEncoding('latin1').on('data', (data: string) => {
    text += data;
  });
  socket
    .on('error', () => undefined)
    .on('close', () => {
      isClosed = true;
    });
  await once(socket, 'connect');
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status as string);
  return {
    socket,
    text: () => text,
    send: (bytes) => void socket.write(bytes, 'latin1'),
    async responses(count) {
      await until(
        () => `${count} responses; received: ${text}`,
        () => statuses().length >= count,
      );
      return statuses();
    },
    closed: () => until('the server to close the connection', () => isClosed),
  };
}
