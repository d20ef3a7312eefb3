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

  /** @param more slots for values that are no metrics of the scope, behind those that are */
  constructor(
    readonly scope: Scope,
    more = 0,
  ) {
    const { length } = columns(scope);
    const both = new Float64Array(2 * length + more).fill(NaN);
    this.values = both.subarray(0, length + more);
    this.counters = both.subarray(length + more);
    this.texts = new Array<string | undefined>(length).fill(undefined);
  }

  /** Forgets all values: what is not set again in this cycle is unknown. */
  clear(): void {
    this.values.fill(NaN);
    this.counters.fill(NaN);
    this.texts.fill(undefined);
    this.histograms = undefined;
  }
}
