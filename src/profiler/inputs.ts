import { columns } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';
import type { InputName, Limits } from './settings.ts';
import type { MetricRule } from './model/vm-profile.ts';

/** What is profiled where nobody says what. */
export const usualInputs: readonly InputName[] = ['cpu', 'net', 'io'];

interface Measured {
  /** Metrics of a VM that are added up. */
  readonly ids: readonly string[];
  /** Bytes per second in one of their unit; 1 for percent. */
  readonly factor: number;
}

const MEGABIT = 1e6 / 8;
const MIB = 2 ** 20;

/** What each input is made of: percent for cpu, mem and disk, bytes per second for net and io. */
const measured: Readonly<Record<InputName, Measured>> = {
  cpu: { ids: ['cpu_total', 'cpu_steal'], factor: 1 },
  net: { ids: ['net_rx_mbit', 'net_tx_mbit'], factor: MEGABIT },
  io: { ids: ['io_read_mib', 'io_write_mib'], factor: MIB },
  mem: { ids: ['ram_active'], factor: 1 },
  disk: { ids: ['disk_util'], factor: 1 },
};

/** The metrics of the stream that an input is made of. */
export function idsOf(name: InputName): readonly string[] {
  return measured[name].ids;
}

/** Reads inputs out of rows; NaN for one of which a part is not known. */
export class RowInputs {
  /** In the order of the names; overwritten by the next {@link read}. */
  readonly values: Float64Array;
  private readonly parts: readonly { readonly slots: readonly number[]; readonly factor: number }[];

  constructor(names: readonly InputName[]) {
    this.values = new Float64Array(names.length);
    const slots = new Map(columns('vm').map(({ id, slot }) => [id, slot]));
    this.parts = names.map((name) => {
      const { ids, factor } = measured[name];
      return { slots: ids.map((id) => slots.get(id) ?? -1), factor };
    });
  }

  read(row: Row): Float64Array {
    for (let input = 0; input < this.parts.length; input++) {
      const part = this.parts[input];
      let sum = 0;
      for (const slot of part?.slots ?? []) sum += row.values[slot] ?? NaN;
      this.values[input] = sum * (part?.factor ?? NaN);
    }
    return this.values;
  }
}

/** Reads an input out of a VM's object in the stream; NaN where a part of it is missing. */
export function inputOf(name: InputName, vm: Readonly<Record<string, unknown>>): number {
  const { ids, factor } = measured[name];
  let sum = 0;
  for (const id of ids) {
    const value = vm[id];
    sum += typeof value === 'number' ? value : NaN;
  }
  return sum * factor;
}

/**
 * What is known of the bounds of each metric. With fixed bounds: percent run from 0 to 100, and so do columns without a
 * name; net to the limit that was given, else to the speed of the host's links; io to the limit that was given. Where
 * there is none of these, to the most that was measured.
 * @param link speed of the host's links in megabit per second, NaN where not known
 */
export function rulesFor(
  metrics: readonly string[],
  fixed: boolean,
  limits: Limits,
  link: number,
): MetricRule[] {
  return metrics.map((name) => {
    if (!fixed) return { name, min: undefined, max: undefined };
    switch (name) {
      case 'net':
        return { name, min: 0, max: limits.net ?? (Number.isFinite(link) ? link * MEGABIT : undefined) };
      case 'io':
        return { name, min: 0, max: limits.io };
      default:
        return { name, min: 0, max: 100 };
    }
  });
}
