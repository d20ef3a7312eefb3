import type { Sample } from '../../sampling/sample.ts';
import { metricOf } from '../values/row-values.ts';

/** What is remembered of each VM. */
export const remembered = ['cpu_total', 'cpu_steal', 'disk_lat_avg', 'net_rx_mbit', 'net_tx_mbit'] as const;
type Remembered = (typeof remembered)[number];

/** ms that are remembered. */
const memory = 120_000;
/** A value stands until the next one, but not longer than this many intervals: a gap is a gap. */
const HELD = 1.5;
const slots = remembered.map((id) => metricOf('vm', id)?.slot ?? 0);

interface Moment {
  readonly time: number;
  /** ms for which its values stand. */
  readonly held: number;
  /** By VM. */
  readonly values: ReadonlyMap<string, Float32Array>;
}

/** The last two minutes of some values of every VM. */
export class RecentValues {
  private readonly moments: Moment[] = [];

  add(sample: Sample): void {
    const { time, interval, guests } = sample;
    // A recording that was wound back tells the same again.
    while ((this.moments.at(-1)?.time ?? -Infinity) >= time) this.moments.pop();
    const values = new Map(
      guests.map(({ guest, row }) => [
        guest.key,
        Float32Array.from(slots, (slot) => row.values[slot] ?? NaN),
      ]),
    );
    this.moments.push({ time, held: (Number.isNaN(interval) ? 1 : interval) * 1000 * HELD, values });
    const oldest = this.moments.findIndex((moment) => moment.time > time - memory);
    if (oldest > 0) this.moments.splice(0, oldest);
  }

  /**
   * The last two minutes of a value of a VM in so many steps of equal length, each the mean of what was measured in it; NaN
   * where nothing is known. It ends with the last sample.
   */
  steps(vm: string, id: Remembered, count: number): number[] {
    const index = remembered.indexOf(id);
    const length = memory / count;
    const end = this.moments.at(-1)?.time ?? 0;
    const sums = new Float64Array(count);
    const counts = new Uint16Array(count);
    const steps = new Array<number>(count).fill(NaN);
    const stepOf = (time: number): number => Math.ceil((time - (end - memory)) / length) - 1;
    for (const { time, held, values } of this.moments) {
      const value = values.get(vm)?.[index] ?? NaN;
      const at = stepOf(time);
      if (Number.isNaN(value) || at < 0 || at >= count) continue;
      sums[at] = (sums[at] ?? 0) + value;
      counts[at] = (counts[at] ?? 0) + 1;
      steps[at] = (sums[at] ?? NaN) / (counts[at] ?? NaN);
      for (let next = at + 1; next < Math.min(count, stepOf(time + held) + 1); next++)
        if (counts[next] === 0) steps[next] = value;
    }
    return steps;
  }
}
