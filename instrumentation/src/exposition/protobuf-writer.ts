/**
 * The part of protobuf's encoding that the exposition needs: varints, doubles, and fields that begin with their length.
 * https://protobuf.dev/programming-guides/encoding/
 */

const [VARINT, DOUBLE, LENGTH] = [0, 1, 2] as const;

/** The maximum number of bytes of a tag and a varint up to 2^53. */
const MOST_BYTES = 20;

export class ProtobufWriter {
  #bytes: Buffer;
  #view: DataView;
  #size = 0;

  constructor(capacityBytes = 64) {
    this.#bytes = Buffer.allocUnsafe(capacityBytes);
    this.#view = viewOf(this.#bytes);
  }

  /** The bytes written so far; invalid once something is written after {@link clear}. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  clear(): void {
    this.#size = 0;
  }

  /** @param value an integer from 0 to 2^53 */
  varint(value: number): void {
    if (this.#size + MOST_BYTES > this.#bytes.length) this.#makeRoom(MOST_BYTES);
    const bytes = this.#bytes;
    let at = this.#size;
    let rest = value;
    // Shifts are fast, but correct only below 2^31.
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
    this.#size = at;
  }

  varintField(field: number, value: number): void {
    this.varint((field << 3) | VARINT);
    this.varint(value);
  }

  /** Accepts negative numbers: zigzag encoding keeps small ones short. */
  signedField(field: number, value: number): void {
    this.varintField(field, zigzag(value));
  }

  doubleField(field: number, value: number): void {
    this.varint((field << 3) | DOUBLE);
    this.#view.setFloat64(this.#size, value, true);
    this.#size += 8;
  }

  stringField(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.varint((field << 3) | LENGTH);
    this.varint(length);
    this.#makeRoom(length);
    this.#size += this.#bytes.write(text, this.#size);
  }

  /** Appends bytes unchanged, for fields that are already encoded. */
  raw(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /**
   * Writes a field whose content `write` adds. The length is known only afterwards; if it takes more than one byte, the
   * content is moved.
   */
  messageField(field: number, write: () => void): void {
    this.varint((field << 3) | LENGTH);
    const start = ++this.#size;
    write();
    const length = this.#size - start;
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    const extra = Math.floor(Math.log2(length) / 7);
    this.#makeRoom(extra);
    this.#bytes.copyWithin(start + extra, start, this.#size);
    this.#size = start - 1;
    this.varint(length);
    this.#size += length;
  }

  packedSignedField(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    this.messageField(field, () => {
      for (const value of values) this.varint(zigzag(value));
    });
  }

  #makeRoom(more: number): void {
    if (this.#size + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#size + more));
    larger.set(this.bytes);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer) => new DataView(buffer, byteOffset, length);
const zigzag = (value: number) => (value < 0 ? -2 * value - 1 : 2 * value);
