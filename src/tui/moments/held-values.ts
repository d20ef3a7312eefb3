import { slots } from '../../catalogue/catalogue.ts';
import type { GuestRows } from '../../sampling/sample.ts';
import { hold } from '../values/held.ts';
import { textOrBlank } from '../values/row-values.ts';

/** ms for which values stay after the last answer of a monitor: three of its usual intervals. */
const STAND = 30_000;

const { qmp } = slots('identity', 'vm');

/** The values of a guest when its monitor answered last. */
interface Kept {
  readonly time: number;
  /** By device; those of the guest itself by ''. */
  readonly values: ReadonlyMap<string, Float64Array>;
}

/**
 * Remembers the last answer of each guest's monitor. A busy monitor misses a poll now and then, just when its values
 * matter, so they stay for a while.
 */
export class HeldValues {
  /** Of guests whose monitors do not answer, by their keys. */
  private readonly kept = new Map<string, Kept>();

  /** Remembers the values of a guest whose monitor answered, if the next sample has none of it. */
  keep(guest: GuestRows, time: number): void {
    const values = rowsOf(guest).map(([name, row]) => [name, row.values.slice()] as const);
    this.kept.set(guest.guest.key, { time, values: new Map(values) });
  }

  /** Hands what is remembered of a guest to its rows, as long as its monitor does not answer. @param time of the sample, ms since 1970 */
  follow(guest: GuestRows, time: number): void {
    const { key } = guest.guest;
    if (!isSilent(guest)) this.kept.delete(key);
    const kept = this.kept.get(key);
    const passed = time - (kept?.time ?? NaN);
    const stands = passed >= 0 && passed < STAND;
    for (const [name, row] of rowsOf(guest)) hold(row, stands ? kept?.values.get(name) : undefined);
  }

  /** Forgets a guest that is gone. */
  forget({ guest }: GuestRows): void {
    this.kept.delete(guest.key);
  }
}

/** Whether the monitor of a guest does not answer. */
export function isSilent({ row }: Pick<GuestRows, 'row'>): boolean {
  return row.texts[qmp] !== undefined;
}

/** The rows of what monitors tell, by device; that of the guest itself by ''. */
function rowsOf({ row, disks }: GuestRows): (readonly [name: string, row: GuestRows['row']])[] {
  return [['', row], ...disks.map((disk) => [textOrBlank(disk, 'device'), disk] as const)];
}
