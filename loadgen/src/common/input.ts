/** Values of flags that are read from a file or from standard input. */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { InterruptedError, reasonOf, UsageError } from './errors.ts';

/** The whole value is held in memory, and encoded once per target. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * @param text the value itself, `@file`, or `@-` for standard input
 * @throws UsageError if the input cannot be read, is too long or is not UTF-8; InterruptedError if Ctrl-C is pressed during the
 * read
 */
export async function readArgument(
  flag: string,
  text: string,
  { stdin, signal }: { readonly stdin: Readable; readonly signal: AbortSignal },
): Promise<string> {
  if (!text.startsWith('@')) return text;
  const expect = (expected: string, got: string) =>
    new UsageError(`${flag}: expected ${expected}, got ${got}`);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    const stream = text === '@-' ? stdin : createReadStream(text.slice(1), { end: MOST_BYTES });
    for await (const chunk of addAbortSignal(signal, stream)) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MOST_BYTES) break;
    }
  } catch (error) {
    if (signal.aborted) throw new InterruptedError('interrupted: nothing was sent');
    throw expect('a file that can be read', `${JSON.stringify(text)} (${reasonOf(error)})`);
  }
  const bytes = Buffer.concat(chunks);
  if (size > MOST_BYTES) throw expect(`at most ${MOST_BYTES} bytes`, `more in ${JSON.stringify(text)}`);
  if (!isUtf8(bytes)) throw expect('UTF-8', `other bytes in ${JSON.stringify(text)}`);
  return bytes.toString('utf8');
}
