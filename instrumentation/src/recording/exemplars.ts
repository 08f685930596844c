/**
 * Exemplars: each bucket keeps the labels of one of its requests, which link the number to a trace. A bucket keeps the newest
 * and accepts at most one per second, so that their cost does not grow with traffic.
 */
import { bucketOf, type Cell, touch } from './counts.ts';
import { PARTS_PER_OCTAVE, SLOTS, slotOf } from './native-buckets.ts';
import type { Exemplar, ExemplarLabels } from './snapshot.ts';

/** Provides the exemplar labels of requests. */
export interface ExemplarSource<Request> {
  /** Called when a request starts. @returns the state to keep until its end */
  readonly started: () => unknown;
  /** Called when a request has ended and its bucket accepts an exemplar. Never throws. @returns undefined for none */
  readonly labelsOf: (request: Request, kept: unknown) => ExemplarLabels | undefined;
}

/** The limit for names and values together. https://prometheus.io/docs/specs/om/open_metrics_spec/#exemplars */
const MAX_CHARACTERS = 128;

const LABEL_NAME = /^[a-zA-Z_]\w*$/;

const INTERVAL_MS = 1_000;

/** Whether these labels are valid for an exemplar: at least one, valid names, and no longer than the specification allows. */
export function isLabelSet(labels: unknown): labels is ExemplarLabels {
  if (typeof labels !== 'object' || labels === null) return false;
  let left = MAX_CHARACTERS;
  for (const [name, value] of Object.entries(labels)) {
    if (!LABEL_NAME.test(name) || (typeof value !== 'string' && typeof value !== 'number')) return false;
    // A character has at most two code units. Much longer texts are not split, because that would take time.
    const text = `${name}${value}`;
    left -= text.length > 2 * MAX_CHARACTERS ? text.length : [...text].length;
  }
  return left >= 0 && left < MAX_CHARACTERS;
}

/** Keeps the exemplar of a request that ended at `endedMs`, unless its bucket accepted one in the last second. */
export function keepExemplar<Request>(
  source: ExemplarSource<Request>,
  cell: Cell,
  bounds: readonly number[],
  bucket: number,
  seconds: number,
  endedMs: number,
  request: Request,
  kept: unknown,
): void {
  const place = bounds.length > 0 ? bucket : placeOfSlot(slotOf(seconds));
  cell.exemplarsDueMs ??= new Float64Array(bounds.length > 0 ? bounds.length + 1 : placeOfSlot(SLOTS) + 1);
  if (endedMs < (cell.exemplarsDueMs[place] as number)) return;
  const labelSet = source.labelsOf(request, kept);
  if (!labelSet) return;
  cell.exemplarsDueMs[place] = endedMs + INTERVAL_MS;
  putExemplar(cell, bounds, { labelSet, value: seconds, timestamp: Date.now() / 1000 });
}

/** Puts `exemplar` into its bucket, unless the bucket has a newer one. */
export function putExemplar(cell: Cell, bounds: readonly number[], exemplar: Exemplar): void {
  touch(cell);
  cell.exemplars ??= [];
  const place = placeOf(bounds, exemplar.value);
  if ((cell.exemplars[place]?.timestamp ?? 0) <= exemplar.timestamp) cell.exemplars[place] = exemplar;
}

/** The index of the bucket, or without classic buckets the power of two. */
const placeOf = (bounds: readonly number[], seconds: number) =>
  bounds.length > 0 ? bucketOf(bounds, seconds) : placeOfSlot(slotOf(seconds));
const placeOfSlot = (slot: number) => Math.ceil(slot / PARTS_PER_OCTAVE);
