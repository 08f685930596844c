/** An HTTP client that sends a test's bytes unchanged. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from './until.ts';

export type RawClient = Awaited<ReturnType<typeof connectRaw>>;

/** Opens a connection on which the test writes arbitrary bytes. */
export async function connectRaw(port: number) {
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
    /** Everything received so far. */
    text: () => text,
    send: (bytes: string) => void socket.write(bytes, 'latin1'),
    /** Polls until `count` responses have begun to arrive. @returns their statuses */
    async responses(count: number) {
      await until(
        () => `${count} responses; received: ${text}`,
        () => statuses().length >= count,
      );
      return statuses();
    },
    /** Waits until the server has closed the connection. */
    closed: () => until('the server to close the connection', () => isClosed),
  };
}
