/**
 * The histogram of durations, encoded cell by cell. The bytes of a cell are kept until the cell changes and are then
 * overwritten in place, so a scrape of thousands of cells creates no garbage.
 */
import { type Cell, type RequestCounts, type Row, rowsOf, snapshotOf } from '../recording/counts.ts';
import { type Snapshot, slotsOf } from '../recording/snapshot.ts';
import { type Family, type Sample, toNumberText } from './family.ts';
import { toNativeHistogram } from './native-histogram.ts';
import { encodeHistogram, encodeLabels } from './protobuf-metric.ts';
import { toExemplarText, toLabelsText } from './text.ts';

/** A cell at the moment of a scrape. */
interface TakenCell {
  readonly row: Row;
  readonly cell: Cell;
  readonly snapshot: Snapshot;
}

/** The data of a cell that is kept between scrapes. */
interface CachedCell {
  /** The cell's labels in protobuf. */
  readonly labels: Uint8Array;
  /** The name and labels of each line: the buckets, the sum, the count. */
  readonly heads: readonly string[];
  readonly text: CachedBytes;
  readonly openMetrics: CachedBytes;
  readonly classic: CachedBytes;
  readonly withNative: CachedBytes;
}

/** Numbers get longer: with a quarter more space, reallocation is rare. */
const SPARE = 1.25;

/** The encoded bytes of the latest numbers. */
class CachedBytes {
  #snapshot: Snapshot | undefined;
  #bytes = new Uint8Array();
  #length = 0;

  /** The bytes of `snapshot`, which is encoded only if it is new. */
  of(snapshot: Snapshot, encode: () => Uint8Array): Uint8Array {
    if (this.#snapshot !== snapshot) {
      const bytes = encode();
      if (this.#bytes.length < bytes.length) this.#bytes = new Uint8Array(Math.ceil(bytes.length * SPARE));
      this.#bytes.set(bytes);
      this.#length = bytes.length;
      this.#snapshot = snapshot;
    }
    return this.#bytes.subarray(0, this.#length);
  }
}

export class Durations {
  readonly #counts: RequestCounts;
  readonly #name: string;
  readonly #bounds: readonly number[];
  readonly #cache = new Map<Cell, CachedCell>();

  /** @param name the family's name */
  constructor(counts: RequestCounts, name: string) {
    this.#counts = counts;
    this.#name = name;
    this.#bounds = [...counts.bounds, Number.POSITIVE_INFINITY];
  }

  /** The current family; it is encoded on demand. */
  read(): Family {
    const taken: TakenCell[] = rowsOf(this.#counts).flatMap((row) =>
      row.cells.map((cell) => ({ row, cell, snapshot: snapshotOf(cell) })),
    );
    const own = this;
    return {
      name: this.#name,
      help: 'Time from the arrival of a request to the end of its response, in seconds',
      type: 'histogram',
      get values() {
        return taken.flatMap((one) => own.#samplesOf(one));
      },
      encoded: {
        *lines(withExemplars) {
          for (const one of taken) yield own.#toText(one, withExemplars);
        },
        *messages(withNative) {
          for (const one of taken) yield own.#toMessage(one, withNative && own.#counts.hasNative);
        },
      },
    };
  }

  #samplesOf({ row: { path, method }, cell: { code, createdMs }, snapshot }: TakenCell): Sample[] {
    const labels = { path, method, code };
    const { bounds, hasNative } = this.#counts;
    const exemplars = this.#exemplarsOf(snapshot);
    const buckets = cumulate(snapshot.buckets).map((value, i) => {
      const exemplar = exemplars?.[i];
      const own = { ...labels, le: bounds[i] ?? '+Inf' };
      return { metricName: `${this.#name}_bucket`, labels: own, value, ...(exemplar && { exemplar }) };
    });
    const native = hasNative ? toNativeHistogram(slotsOf(snapshot), snapshot.exemplars) : undefined;
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: snapshot.sumSeconds },
      { metricName: `${this.#name}_count`, labels, value: snapshot.count, createdMs, native },
    ];
  }

  #cached(taken: TakenCell): CachedCell {
    let cached = this.#cache.get(taken.cell);
    if (!cached) {
      const { path, method } = taken.row;
      cached = {
        labels: encodeLabels({ path, method, code: taken.cell.code }),
        heads: this.#samplesOf(taken).map(
          ({ metricName, labels }) => `${metricName}${toLabelsText(labels)} `,
        ),
        text: new CachedBytes(),
        openMetrics: new CachedBytes(),
        classic: new CachedBytes(),
        withNative: new CachedBytes(),
      };
      this.#cache.set(taken.cell, cached);
    }
    return cached;
  }

  /** The exemplars of classic buckets. */
  #exemplarsOf(snapshot: Snapshot): Snapshot['exemplars'] {
    return this.#counts.bounds.length > 0 ? snapshot.exemplars : undefined;
  }

  #toText(taken: TakenCell, withExemplars: boolean): Uint8Array {
    const { heads, text, openMetrics } = this.#cached(taken);
    const { snapshot } = taken;
    const exemplars = withExemplars ? this.#exemplarsOf(snapshot) : undefined;
    return (exemplars ? openMetrics : text).of(snapshot, () => {
      const values = [...cumulate(snapshot.buckets), snapshot.sumSeconds, snapshot.count];
      let lines = '';
      for (let i = 0; i < heads.length; i++)
        lines += `${heads[i]}${toNumberText(values[i] as number)}${toExemplarText(exemplars?.[i])}\n`;
      return Buffer.from(lines);
    });
  }

  #toMessage(taken: TakenCell, withNative: boolean): Uint8Array {
    const { labels, classic, withNative: whole } = this.#cached(taken);
    const { snapshot, cell } = taken;
    return (withNative ? whole : classic).of(snapshot, () => {
      const cumulated = cumulate(snapshot.buckets);
      const exemplars = this.#exemplarsOf(snapshot);
      return encodeHistogram(labels, {
        count: snapshot.count,
        sum: snapshot.sumSeconds,
        points: this.#bounds.map((bound, i) => [bound, cumulated[i] as number, exemplars?.[i]]),
        createdMs: cell.createdMs,
        native: withNative ? toNativeHistogram(slotsOf(snapshot), snapshot.exemplars) : undefined,
      });
    });
  }
}

function cumulate(buckets: readonly number[]): number[] {
  let sum = 0;
  return buckets.map((own) => {
    sum += own;
    return sum;
  });
}
