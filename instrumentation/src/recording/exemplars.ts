/**
 * Exemplars: next to a bucket, the labels of one request that fell into it, so that a number leads to a trace. The newest of
 * each bucket is kept, and a bucket takes one a second at most: what they cost does not grow with traffic.
 */
import { bucketOf, type Cell, touch } from './counts.ts';
import { PARTS_PER_OCTAVE, SLOTS, slotOf } from './native-buckets.ts';
import type { Exemplar, ExemplarLabels } from './snapshot.ts';

/** Where the labels of a request come from. */
export interface ExemplarSource<Request> {
  /** Called when a request starts: what has to be kept of that moment. */
  readonly started: () => unknown;
  /** Called when a request has ended whose bucket takes an exemplar. Never throws; undefined is none. */
  readonly labelsOf: (request: Request, kept: unknown) => ExemplarLabels | undefined;
}

/** Of the names and values together. https://prometheus.io/docs/specs/om/open_metrics_spec/#exemplars */
const MAX_CHARACTERS = 128;

const LABEL_NAME = /^[a-zA-Z_]\w*$/;

const INTERVAL_MS = 1_000;

/** Whether an exemplar may have these labels: some, with names of labels, and no more than the specification allows. */
export function isLabelSet(labels: unknown): labels is ExemplarLabels {
  if (typeof labels !== 'object' || labels === null) return false;
  let left = MAX_CHARACTERS;
  for (const [name, value] of Object.entries(labels)) {
    if (!LABEL_NAME.test(name) || (typeof value !== 'string' && typeof value !== 'number')) return false;
    // A character is two units at most; what is far too long is not taken apart.
    const text = `${name}${value}`;
    left -= text.length > 2 * MAX_CHARACTERS ? text.length : [...text].length;
  }
  return left >= 0 && left < MAX_CHARACTERS;
}

/** Keeps the exemplar of a request that ended at `endedMs`, unless its bucket has one of the last second. */
export function keepExemplar<Request>(
  source: ExemplarSource<Request>,
  cell: Cell,
  bounds: readonly number[],
  seconds: number,
  endedMs: number,
  request: Request,
  kept: unknown,
): void {
  const place = placeOf(bounds, seconds);
  cell.exemplarsDueMs ??= new Float64Array(bounds.length > 0 ? bounds.length + 1 : placeOfSlot(SLOTS) + 1);
  if (endedMs < (cell.exemplarsDueMs[place] as number)) return;
  const labelSet = source.labelsOf(request, kept);
  if (!labelSet) return;
  cell.exemplarsDueMs[place] = endedMs + INTERVAL_MS;
  putExemplar(cell, bounds, { labelSet, value: seconds, timestamp: Date.now() / 1000 });
}

/** Puts `exemplar` into its bucket, unless that has a newer one. */
export function putExemplar(cell: Cell, bounds: readonly number[], exemplar: Exemplar): void {
  touch(cell);
  cell.exemplars ??= [];
  const place = placeOf(bounds, exemplar.value);
  if ((cell.exemplars[place]?.timestamp ?? 0) <= exemplar.timestamp) cell.exemplars[place] = exemplar;
}

/** The bucket; where there is but one, since all is left to native histograms, a power of two. */
const placeOf = (bounds: readonly number[], seconds: number) =>
  bounds.length > 0 ? bucketOf(bounds, seconds) : placeOfSlot(slotOf(seconds));
const placeOfSlot = (slot: number) => Math.ceil(slot / PARTS_PER_OCTAVE);
