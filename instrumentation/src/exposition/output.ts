/** Assembles the pieces of an exposition and regularly yields to the event loop. */
import { setImmediate } from 'node:timers/promises';

/** After this time the event loop gets a turn. With the last few steps and a garbage collection, that makes 5 ms at most. */
const SLICE_MS = 3;

/** How many steps to take between looks at the clock. */
const STEPS_AT_ONCE = 32;

const CHUNK_BYTES = 65_536;

/** The most bytes that one UTF-16 unit of a string takes in UTF-8. */
const MOST_BYTES_OF_A_CHARACTER = 3;

export interface Output {
  /** Copies `piece` to the end; it may be overwritten afterwards. */
  add(piece: Uint8Array | string): void;
  /** The number of bytes so far. */
  size(): number;
  /** @returns a function that inserts its argument here, in front of everything added in the meantime */
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
