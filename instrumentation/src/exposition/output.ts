/** Assembles the pieces of an exposition and regularly yields to the event loop. */
import { setImmediate } from 'node:timers/promises';

/**
 * After this time, in milliseconds, the event loop gets a turn. With the last few steps and a garbage collection, a slice
 * takes 5 ms at most.
 */
const SLICE_MS = 3;

/** The number of steps between checks of the clock. */
const STEPS_AT_ONCE = 32;

const CHUNK_BYTES = 65_536;

/** The maximum number of UTF-8 bytes for one UTF-16 code unit. */
const MOST_BYTES_OF_A_CHARACTER = 3;

export interface Output {
  /** Copies `piece` to the end; it may be overwritten afterwards. */
  add(piece: Uint8Array | string): void;
  /** The number of bytes so far. */
  size(): number;
  /** @returns a function that inserts its argument at this position, before everything added in the meantime */
  reserve(): (piece: Uint8Array) => void;
  /** Call after each step. @returns a promise of the next turn if this one has lasted long enough */
  turn(): Promise<void> | undefined;
  finish(): Buffer;
}

export function createOutput(): Output {
  const chunks: Uint8Array[] = [];
  let chunk: Buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let used = 0;
  let size = 0;
  let steps = 0;
  let sliceStartMs = performance.now();

  /** Keeps the bytes so far and continues in the rest of the chunk. */
  function close(): void {
    if (used > 0) chunks.push(chunk.subarray(0, used));
    chunk = chunk.subarray(used);
    used = 0;
  }

  function makeRoom(bytes: number): void {
    if (used + bytes <= chunk.length) return;
    close();
    chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, bytes));
  }

  return {
    add(piece) {
      let length = piece.length;
      if (typeof piece === 'string') {
        makeRoom(length * MOST_BYTES_OF_A_CHARACTER);
        length = chunk.write(piece, used);
      } else {
        makeRoom(length);
        chunk.set(piece, used);
      }
      used += length;
      size += length;
    },
    size: () => size,
    reserve() {
      close();
      const place = chunks.push(new Uint8Array()) - 1;
      return (piece) => {
        chunks[place] = piece;
        size += piece.length;
      };
    },
    turn() {
      if (++steps % STEPS_AT_ONCE > 0 || performance.now() - sliceStartMs < SLICE_MS) return undefined;
      return setImmediate().then(() => {
        sliceStartMs = performance.now();
      });
    },
    finish() {
      close();
      return Buffer.concat(chunks);
    },
  };
}
