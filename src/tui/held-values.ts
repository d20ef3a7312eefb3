import { slots } from '../catalogue/catalogue.ts';
import type { GuestRows } from '../sampling/sample.ts';
import { hold } from './values/held.ts';
import { textOrBlank } from './values/row-values.ts';

/** ms for which values stay after the last answer of a monitor: three of its usual intervals. */
const STAND = 30_000;

const { qmp } = slots('identity', 'vm');

/** The values of a guest when its monitor answered last. */
interface Kept {
  time: number;
  /** By device; those of the guest itself by ''. */
  values: Map<string, Float64Array>;
  /** Whether rows show them, and may still do so when the monitor answers again. */
  areShown: boolean;
}

/**
 * Remembers the last answer of each guest's monitor. A busy monitor misses a poll now and then, just when its values
 * matter, so they stay for a while.
 */
export class HeldValues {
  private kept = new Map<string, Kept>();

  /**
   * Remembers the values of guests whose monitors answer, and hands those that were remembered to the rows of others.
   * @param time of the sample, ms since 1970
   */
  follow(guests: readonly GuestRows[], time: number): void {
    const before = this.kept;
    this.kept = new Map();
    for (const { guest, row, disks } of guests) {
      const kept = before.get(guest.key) ?? {
        time: NaN,
        values: new Map<string, Float64Array>(),
        areShown: false,
      };
      this.kept.set(guest.key, kept);
      const isSilent = row.texts[qmp] !== undefined;
      const passed = time - kept.time;
      const stands = isSilent && passed >= 0 && passed < STAND;
      if (!isSilent) {
        kept.time = time;
        if (kept.areShown) kept.values = new Map();
      }
      kept.areShown = stands;
      for (const each of [row, ...disks]) {
        const name = each === row ? '' : textOrBlank(each, 'device');
        if (!isSilent) copyInto(kept.values, name, each.values);
        hold(each, stands ? kept.values.get(name) : undefined);
      }
    }
  }
}

function copyInto(kept: Map<string, Float64Array>, name: string, values: Float64Array): void {
  const own = kept.get(name);
  if (own === undefined) kept.set(name, values.slice());
  else own.set(values);
}
