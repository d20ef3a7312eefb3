import type { Judge } from '../analysis/judge.ts';
import { badgeOf } from '../values/badge.ts';
import { metricIn, source } from './table.ts';
import type { TableEntry } from './table.ts';
import type { ViewColumn } from './view-columns.ts';

/** Seconds over which it is judged whether a row is red: single samples are red and green by turns. */
const WINDOW = 5;
/** A row is in trouble from this share of red time on, */
const BEGIN = 0.5;
/** and until its share falls below this one. */
const END = 0.15;

/** How much of the last time a row was red. */
interface Redness {
  share: number;
  inTrouble: boolean;
}

/**
 * Which rows of a view are in trouble, so that these come first: those whose guest hangs or has failed at once, those
 * with a red value once it was red for most of some seconds, and until it has not been for some seconds more.
 */
export class Trouble {
  private known = new Map<string, Redness>();
  private time = NaN;

  constructor(private readonly judge: Judge) {}

  /**
   * Looks at the rows of a sample, once.
   * @param time of the sample, ms since 1970
   * @param columns those whose values count
   */
  observe(time: number, entries: readonly TableEntry[], columns: readonly ViewColumn[]): void {
    if (time === this.time) return;
    const passed = (time - this.time) / 1000 / WINDOW;
    // What is new, was wound back, or was not looked at for a while begins with what is seen now.
    const weight = passed > 0 ? 1 - Math.exp(-passed) : 1;
    this.time = time;
    const before = this.known;
    this.known = new Map();
    for (const entry of entries) {
      const red = columns.some((column) => this.isRed(entry, column)) ? 1 : 0;
      const redness = before.get(entry.key) ?? { share: red, inTrouble: false };
      redness.share += (red - redness.share) * weight;
      redness.inTrouble = redness.share >= (redness.inTrouble ? END : BEGIN);
      this.known.set(entry.key, redness);
    }
  }

  /** 2 for a guest that hangs or has failed, and its devices, 1 for a row that is red, 0 for the others. */
  rank({ key, vm }: TableEntry): 0 | 1 | 2 {
    if (vm !== undefined && badgeOf(vm.row)?.grade === 'bad') return 2;
    return this.known.get(key)?.inTrouble === true ? 1 : 0;
  }

  private isRed(entry: TableEntry, column: ViewColumn): boolean {
    const metric = metricIn(entry, column);
    if (metric === undefined || metric.kind === 'text') return false;
    const row = source(entry, column);
    const value = row.values[metric.slot] ?? NaN;
    return !Number.isNaN(value) && this.judge(metric.id, value, row) === 'bad';
  }
}
