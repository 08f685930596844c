/** Where the pieces of an exposition are put together, while the rest of the event loop gets its turns. */
import { setImmediate } from 'node:timers/promises';

/** After this long the rest of the event loop gets a turn: with the last few steps and a collection of garbage, 5 ms at most. */
const SLICE_MS = 3;

/** So many steps are taken before the clock is looked at. */
const STEPS_AT_ONCE = 32;

const CHUNK_BYTES = 65_536;

/** No character of a string takes more in UTF-8. */
const MOST_BYTES_OF_A_CHARACTER = 3;

export interface Output {
  /** Copies `piece` to the end; it may be overwritten afterwards. */
  add(piece: Uint8Array | string): void;
  /** How many bytes there are. */
  size(): number;
  /** @returns a function that puts its argument here, in front of all that is added in the meantime */
  reserve(): (piece: Uint8Array) => void;
  /** After each step: a promise of the next turn, if this one has lasted long enough. */
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

  /** What was added stays as it is, and the rest of the chunk is for what comes. */
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
