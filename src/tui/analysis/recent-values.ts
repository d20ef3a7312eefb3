import type { GuestRows, Sample } from '../../sampling/sample.ts';
import { views } from '../table/views.ts';
import { metricOf } from '../values/row-values.ts';

/** What the page of a VM shows of the last two minutes. */
export const ofPage = ['cpu_total', 'cpu_steal', 'disk_lat_avg', 'net_rx_mbit', 'net_tx_mbit'] as const;

/** ms that are shown. */
const span = 120_000;
/** What is remembered at most: ms, what is shown of a moment up to ten minutes ago, and bytes. */
const LIMITS = { time: 600_000 + span, bytes: 16 << 20 };
/** A value stands until the next one, but not longer than this many intervals: a gap is a gap. */
const HELD = 1.5;

/** Slots of what is remembered of each VM: what its page shows, and what tables of VMs are sorted by. */
const slots = new Map<string, number>();
for (const id of [...ofPage, ...views.filter(({ scope }) => scope === 'vm').flatMap(sortedBy)]) {
  const metric = metricOf('vm', id);
  if (metric !== undefined && metric.kind !== 'text') slots.set(id, metric.slot);
}
const ids = [...slots.keys()];

function sortedBy({ sort, sortKeys }: (typeof views)[number]): readonly string[] {
  return [sort, ...Object.values(sortKeys)];
}

/** The numbers of VMs by their keys. */
type Numbers = ReadonlyMap<string, number>;

interface Remembered {
  readonly time: number;
  /** ms for which its values stand. */
  readonly held: number;
  /** One for all moments with the same VMs. */
  readonly numbers: Numbers;
  /** Those of one VM behind those of the other. */
  readonly values: Float32Array;
}

/** The last minutes of some values of every VM: two before each moment of the last ten minutes, as far as memory allows. */
export class RecentValues {
  private readonly moments: Remembered[] = [];
  private size = 0;
  private numbers: Numbers = new Map();

  constructor(private readonly limits: typeof LIMITS = LIMITS) {}

  add(sample: Sample): void {
    const { time, interval, guests } = sample;
    // A recording that was wound back tells the same again.
    while ((this.moments.at(-1)?.time ?? -Infinity) >= time) this.moments.pop();
    const values = new Float32Array(guests.length * slots.size);
    let at = 0;
    for (const { row } of guests) for (const slot of slots.values()) values[at++] = row.values[slot] ?? NaN;
    const held = (Number.isNaN(interval) ? 1 : interval) * 1000 * HELD;
    this.moments.push({ time, held, numbers: this.numbersOf(guests), values });
    this.forget(time - this.limits.time);
  }

  /**
   * Two minutes of a value of a VM in so many steps of equal length, each the mean of what was measured in it; NaN where
   * nothing is known.
   *
   * @param end when they end, ms since 1970; with the last sample where it is not given
   */
  steps(vm: string, id: string, count: number, end = this.moments.at(-1)?.time ?? 0): number[] {
    const index = ids.indexOf(id);
    const length = span / count;
    const sums = new Float64Array(count);
    const counts = new Uint16Array(count);
    const steps = new Array<number>(count).fill(NaN);
    const stepOf = (time: number): number => Math.ceil((time - (end - span)) / length) - 1;
    const first = this.moments.findLastIndex(({ time }) => time <= end - span) + 1;
    for (const { time, held, numbers, values } of this.moments.slice(first)) {
      if (time > end) break;
      const value = values[(numbers.get(vm) ?? NaN) * slots.size + index] ?? NaN;
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

  private numbersOf(guests: readonly GuestRows[]): Numbers {
    const { numbers } = this;
    const isSame =
      numbers.size === guests.length && guests.every(({ guest }, index) => numbers.get(guest.key) === index);
    return isSame ? numbers : (this.numbers = new Map(guests.map(({ guest }, index) => [guest.key, index])));
  }

  private forget(before: number): void {
    const { moments, limits } = this;
    this.size = moments.reduce((sum, { values }) => sum + values.byteLength, 0);
    let oldest = 0;
    while (
      oldest < moments.length - 1 &&
      ((moments[oldest]?.time ?? 0) <= before || this.size > limits.bytes)
    )
      this.size -= moments[oldest++]?.values.byteLength ?? 0;
    if (oldest > 0) moments.splice(0, oldest);
  }
}
