import { columns } from '../../catalogue/catalogue.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import type { Unit } from '../../catalogue/metric.ts';
import { MS_PER_TICK } from '../../kernel/base/ticks.ts';

/** Reads a number from the values of a row; NaN where it is not known. `interval` is that of the sample, in seconds. */
export type Read = (values: Float64Array, interval: number) => number;

/** A metric as it is printed. */
export interface Column {
  readonly id: string;
  /** Unit of the printed number; KiB only with the original's units. */
  readonly unit: Unit | 'KiB';
  /** Whether it is read from the texts of a row instead of its values. */
  readonly text: boolean;
  /** Whether the number is always whole: a count, but no mean of counts. */
  readonly whole: boolean;
  readonly slot: number;
  /** How to get at a number that is not simply the value in the slot. */
  readonly read: Read | undefined;
}

/** The column of a metric under its own id and in its own unit. */
export function ownColumn({ id, unit, kind, slot }: Metric): Column {
  const whole = unit === 'count' && kind === 'gauge';
  return { id, unit, text: kind === 'text', whole, slot, read: undefined };
}

/**
 * The column of a metric under the id and in the unit of the original program. Undefined for a metric the original did not have,
 * and for the totals of the pressure files: the original printed the cumulative counter, which cannot be had back from a rate.
 *
 * The catalogue tells a difference that a group of metrics shares at the first of the group; here it holds for all:
 * the four disk latencies of a VM are 0 without operations, and its network counters are seen from the tap, so that rx
 * and tx change places (but for frame, multicast, collisions and carrier, which exist in one direction only).
 */
export function originalColumn(metric: Metric): Column | undefined {
  const { slot, original } = metric;
  if (original === undefined) return undefined;
  const column = { ...ownColumn(metric), id: original.id };
  const { differs } = original;
  switch (differs) {
    case 'KiB':
      return { ...column, unit: 'KiB', read: (values) => at(values, slot) / 1024 };
    case 'per interval':
      return {
        ...column,
        unit: 'count',
        whole: true,
        read: (values, interval) => Math.round(at(values, slot) * interval),
      };
    case 'ticks':
      return {
        ...column,
        unit: 'count',
        whole: true,
        read: (values, interval) => Math.round((at(values, slot) * interval) / MS_PER_TICK),
      };
    case 'us, cumulative':
      return undefined;
    case '0 without operations':
    case 'original: tap view, rx and tx swapped':
    case undefined:
      break;
  }
  return { ...column, slot: tapSlot(metric), read: zeroWithoutOperations(metric) };
}

/** The slot of the opposite direction for a network metric of a VM that has one, else the metric's own. */
function tapSlot({ scope, collector, id, slot }: Metric): number {
  if (scope !== 'vm' || collector !== 'net') return slot;
  const opposite = id.replace(/_(rx|tx)_/, (_, direction) => (direction === 'rx' ? '_tx_' : '_rx_'));
  return slotOf(opposite) ?? slot;
}

/** For a mean of a VM over operations: 0 when it is unknown because there were no operations; undefined for other metrics. */
function zeroWithoutOperations({ scope, kind, operations, slot }: Metric): Read | undefined {
  if (scope !== 'vm' || kind !== 'mean' || operations.length === 0) return undefined;
  const slots = operations.map((operation) => slotOf(operation) ?? NaN);
  return (values) => {
    const latency = at(values, slot);
    return Number.isNaN(latency) && slots.every((operation) => values[operation] === 0) ? 0 : latency;
  };
}

function slotOf(id: string): number | undefined {
  return columns('vm').find((metric) => metric.id === id)?.slot;
}

function at(values: Float64Array, slot: number): number {
  return values[slot] ?? NaN;
}
