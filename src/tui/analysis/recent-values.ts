import type { Scope } from '../../catalogue/define.ts';
import { partsOf } from '../../catalogue/row-tree.ts';
import type { Sample } from '../../sampling/sample.ts';
import { views } from '../table/views.ts';
import { metricOf } from '../values/row-values.ts';
import { ListedValues } from './listed-values.ts';
import type { Numbers, RowKind } from './listed-values.ts';

/** What the page of a VM shows of the last two minutes. */
export const ofPage = ['cpu_total', 'cpu_steal', 'disk_lat_avg', 'net_rx_mbit', 'net_tx_mbit'] as const;

/** ms that are shown. */
const span = 120_000;
/** What is remembered at most: ms, what is shown of a moment up to ten minutes ago, and bytes. */
const LIMITS = { time: 600_000 + span, bytes: 24 << 20 };
/** A value lasts until the next one, but not longer than this many intervals, so that gaps stay visible. */
const HELD = 1.5;
/** Values of a moment from which on they are remembered only so many ms apart: a cell of a trend stands for 4 s or more. */
const MANY = 50_000;
const APART = 1900;

/** A metric whose values are remembered. */
interface Series {
  readonly scope: Scope;
  readonly id: string;
}

/** What is remembered of each row of a scope. */
interface Kind extends RowKind {
  readonly ids: readonly string[];
}

/** What tables of guests and their devices can be sorted by with a letter, and what the page of a VM shows. */
const kinds = new Map<Scope, Kind>();
for (const { scope, sort, sortKeys } of views) {
  const part = partsOf('vm').find((each) => each.scope === scope);
  if (scope !== 'vm' && part === undefined) continue;
  const before = kinds.get(scope)?.ids ?? (scope === 'vm' ? ofPage : []);
  const all = new Set([...before, sort, ...Object.values(sortKeys)]);
  const metrics = [...all].map((id) => metricOf(scope, id)).filter((metric) => metric !== undefined);
  const numbers = metrics.filter(({ kind }) => kind !== 'text');
  const device = metricOf(scope, 'device')?.slot ?? NaN;
  kinds.set(scope, {
    part,
    device,
    ids: numbers.map(({ id }) => id),
    slots: numbers.map(({ slot }) => slot),
  });
}

/** The values of the rows of a scope. */
interface Values {
  /** One for all moments with the same rows. */
  readonly numbers: Numbers;
  /** Those of one row behind those of the other. */
  readonly values: Float32Array;
}

interface Remembered {
  readonly time: number;
  /** ms for which its values stand. */
  readonly held: number;
  readonly of: ReadonlyMap<Scope, Values>;
  readonly bytes: number;
}

/** Whether values of a metric are remembered. */
export function isRemembered(scope: Scope, id: string): boolean {
  return kinds.get(scope)?.ids.includes(id) ?? false;
}

/**
 * The last minutes of some values of every guest and its devices: two before each moment of the last ten minutes, as far as
 * memory allows.
 */
export class RecentValues {
  private readonly moments: Remembered[] = [];
  private size = 0;
  /** When the sample that was added last was taken, whether it is remembered or not. */
  private latest = -Infinity;
  private readonly rows = new Map<Scope, ListedValues>();

  constructor(private readonly limits: typeof LIMITS = LIMITS) {}

  add({ time, interval, guests }: Sample): void {
    // A rewound recording gives the same samples again.
    while ((this.moments.at(-1)?.time ?? -Infinity) >= time) this.size -= this.moments.pop()?.bytes ?? 0;
    this.latest = time;
    const last = this.moments.at(-1);
    const isSparse = last !== undefined && last.bytes > MANY * Float32Array.BYTES_PER_ELEMENT;
    if (isSparse && time - last.time < APART) return;
    const of = new Map<Scope, Values>();
    let bytes = 0;
    for (const [scope, kind] of kinds) {
      let rows = this.rows.get(scope);
      if (rows === undefined) this.rows.set(scope, (rows = new ListedValues(kind)));
      const values = rows.values(guests);
      of.set(scope, { numbers: rows.numbers, values });
      bytes += values.byteLength;
    }
    const every = (Number.isNaN(interval) ? 1 : interval) * 1000;
    const held = (isSparse ? Math.max(every, APART) : every) * HELD;
    this.moments.push({ time, held, of, bytes });
    this.size += bytes;
    this.forget(time - this.limits.time);
  }

  /** Whether values that stand for a moment are remembered. @param time of it, ms since 1970 */
  has(time: number): boolean {
    const moment = this.moments[this.firstAfter(time) - 1];
    return time <= this.latest && moment !== undefined && time <= moment.time + moment.held;
  }

  /**
   * Two minutes of a value of rows in so many steps of equal length, each the mean of what was measured in it; NaN where
   * nothing is known. Steps begin at multiples of their length, so that all but the last stay as they are until the next one
   * begins.
   *
   * @param keys of the rows, as in tables
   * @param until what is shown, ms since 1970; the last sample where it is not given
   */
  steps(
    { scope, id }: Series,
    keys: readonly string[],
    count: number,
    until = this.moments.at(-1)?.time ?? 0,
  ): readonly number[][] {
    const all = keys.map(() => new Array<number>(count).fill(NaN));
    const { ids = [] } = kinds.get(scope) ?? {};
    const index = ids.indexOf(id);
    if (index === -1) return all;
    const length = span / count;
    const before = Math.ceil(until / length) - count + 1;
    const known = keys.map(() => new Uint16Array(count));
    let numbers: Numbers | undefined;
    let places: readonly number[] = [];
    for (let each = this.firstAfter(until - span); each < this.moments.length; each++) {
      const { time, held, of } = this.moments[each] as Remembered;
      if (time > until) break;
      const rows = of.get(scope);
      const at = Math.ceil(time / length) - before;
      if (rows === undefined || at < 0) continue;
      const last = Math.min(count - 1, Math.ceil((time + held) / length) - before);
      // Nearly always the same rows as a moment before.
      if (rows.numbers !== numbers) {
        numbers = rows.numbers;
        places = keys.map((key) => (rows.numbers.get(key) ?? NaN) * ids.length + index);
      }
      for (let row = 0; row < keys.length; row++) {
        const value = rows.values[places[row] as number];
        if (value !== undefined && !Number.isNaN(value))
          put(value, at, last, all[row] as number[], known[row] as Uint16Array);
      }
    }
    return all;
  }

  /** The number of the first moment after a time. */
  private firstAfter(after: number): number {
    return this.moments.findLastIndex(({ time }) => time <= after) + 1;
  }

  /** Its lists are used again. */
  private drop({ of, bytes }: Remembered): void {
    this.size -= bytes;
    for (const [scope, { values }] of of) this.rows.get(scope)?.reuse(values);
  }

  private forget(before: number): void {
    const { moments, limits } = this;
    let oldest = 0;
    while (
      oldest < moments.length - 1 &&
      ((moments[oldest]?.time ?? 0) <= before || this.size > limits.bytes)
    )
      this.drop(moments[oldest++] as Remembered);
    if (oldest > 0) moments.splice(0, oldest);
  }
}

/** Puts a value into the mean of its step, and into those behind it that it stands for. @param known values of each step */
function put(value: number, at: number, last: number, steps: number[], known: Uint16Array): void {
  const before = known[at] ?? 0;
  known[at] = before + 1;
  steps[at] = before === 0 ? value : ((steps[at] ?? NaN) * before + value) / (before + 1);
  for (let next = at + 1; next <= last; next++) if (known[next] === 0) steps[next] = value;
}
