import { columns, slots } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';
import type { InputName, Limits } from './settings.ts';
import type { MetricRule } from './model/vm-profile.ts';
import { isContainer } from './profile.ts';

/** What is profiled where nobody says what. */
export const usualInputs: readonly InputName[] = ['cpu', 'net', 'io'];

interface Measured {
  /** Metrics of a VM that are added up. */
  readonly ids: readonly string[];
  /** Those of a container, where they are others. */
  readonly ofContainer?: readonly string[];
  /** Bytes per second in one of their unit; 1 for percent. */
  readonly factor: number;
}

const MEGABIT = 1e6 / 8;
const MIB = 2 ** 20;

/** What each input is made of: percent for cpu, mem and disk, bytes per second for net and io. */
const measured: Readonly<Record<InputName, Measured>> = {
  // How long a container waits for a CPU nothing tells.
  cpu: { ids: ['cpu_total', 'cpu_steal'], ofContainer: ['cpu_total'], factor: 1 },
  net: { ids: ['net_rx_mbit', 'net_tx_mbit'], factor: MEGABIT },
  io: { ids: ['io_read_mib', 'io_write_mib'], factor: MIB },
  mem: { ids: ['ram_active'], ofContainer: ['ram_limit_used'], factor: 1 },
  disk: { ids: ['disk_util'], factor: 1 },
};

const { guest_type: typeSlot } = slots('identity', 'vm');

/** The metrics of the stream that an input is made of. */
export function idsOf(name: InputName, container: boolean): readonly string[] {
  const { ids, ofContainer = ids } = measured[name];
  return container ? ofContainer : ids;
}

/** Reads inputs out of rows; NaN for one of which a part is not known. */
export class RowInputs {
  /** In the order of the names; overwritten by the next {@link read}. */
  readonly values: Float64Array;
  private readonly ofVm: readonly (readonly number[])[];
  private readonly ofContainer: readonly (readonly number[])[];
  private readonly factors: readonly number[];

  constructor(names: readonly InputName[]) {
    this.values = new Float64Array(names.length);
    const slotOf = new Map(columns('vm').map(({ id, slot }) => [id, slot]));
    const slotsOf = (ids: readonly string[]): readonly number[] => ids.map((id) => slotOf.get(id) ?? -1);
    this.ofVm = names.map((name) => slotsOf(idsOf(name, false)));
    this.ofContainer = names.map((name) => slotsOf(idsOf(name, true)));
    this.factors = names.map((name) => measured[name].factor);
  }

  read(row: Row): Float64Array {
    const parts = isContainer({ guest_type: row.texts[typeSlot] }) ? this.ofContainer : this.ofVm;
    for (let input = 0; input < parts.length; input++) {
      let sum = 0;
      for (const slot of parts[input] ?? []) sum += row.values[slot] ?? NaN;
      this.values[input] = sum * (this.factors[input] ?? NaN);
    }
    return this.values;
  }
}

/** Reads an input out of a guest's object in the stream; NaN where a part of it is missing. */
export function inputOf(name: InputName, guest: Readonly<Record<string, unknown>>): number {
  const type = guest['guest_type'];
  const container = isContainer({ guest_type: typeof type === 'string' ? type : undefined });
  let sum = 0;
  for (const id of idsOf(name, container)) {
    const value = guest[id];
    sum += typeof value === 'number' ? value : NaN;
  }
  return sum * measured[name].factor;
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
