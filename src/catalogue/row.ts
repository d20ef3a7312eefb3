import { columns } from './catalogue.ts';
import type { Scope } from './define.ts';

/**
 * How often a value was between which bounds, and the sum of all, since it was first seen: so neither ever falls. In the
 * base unit of the metric that it stands behind.
 */
export interface Histogram {
  /** Where one bucket ends and the next one begins, ascending. */
  readonly bounds: readonly number[];
  /** In each bucket; one more than there are bounds, as the last one has no upper end. */
  readonly counts: Float64Array;
  sum: number;
}

/**
 * The values of one VM, vCPU, disk, NIC or host at one instant: a slot for each metric of the scope.
 *
 * A row is kept as long as the thing it is about and filled again in every cycle, so that a cycle allocates nothing: a
 * consumer that needs a value after the cycle copies it.
 */
export class Row {
  /** Numbers by slot; NaN where the value is not known, which no printer ever writes. */
  readonly values: Float64Array;
  /** Texts by slot; undefined where not known. */
  readonly texts: (string | undefined)[];
  /**
   * The cumulative count that a value is the rate of, by the slot of that value and in the unit of the reading, as
   * the counter in its declaration says; NaN where not known.
   */
  readonly counters: Float64Array;
  /** The distributions behind metrics that declare one, by their slots; undefined where none are counted. */
  histograms: ReadonlyMap<number, Histogram> | undefined;
  /**
   * What tells its present values and texts from all others that a row ever had, so that who has seen them need not look again; 0
   * where whoever fills it does not say. See {@link changed}.
   */
  version = 0;
  /** The same of its texts alone. */
  textsVersion = 0;

  /** @param more slots for values that are no metrics of the scope, behind those that are */
  constructor(
    readonly scope: Scope,
    more = 0,
  ) {
    const { length } = columns(scope);
    this.values = room(length + more);
    this.counters = room(length);
    this.texts = new Array<string | undefined>(length).fill(undefined);
  }

  /** Forgets all values: what is not set again in this cycle is unknown. */
  clear(): void {
    this.values.fill(NaN);
    this.counters.fill(NaN);
    this.texts.fill(undefined);
    this.histograms = undefined;
    this.version = this.textsVersion = 0;
  }

  /** Gives it a version of its own, after its values were changed. */
  changed(): void {
    this.version = ++versions;
  }

  /** The same after texts were changed. */
  textsChanged(): void {
    this.version = this.textsVersion = ++versions;
  }
}

/** Numbers of which rows get their memory. */
const SHARED = 4096;
let shared = new Float64Array(0);
let used = 0;

/**
 * Memory for so many numbers, all NaN. Rows that are made one after the other share some: a buffer for each would be what V8 spends
 * most on when it collects garbage, with thousands of guests.
 */
function room(length: number): Float64Array {
  if (used + length > shared.length)
    [shared, used] = [new Float64Array(Math.max(SHARED, length)).fill(NaN), 0];
  used += length;
  return shared.subarray(used - length, used);
}

/** Versions that were given to rows. */
let versions = 0;
