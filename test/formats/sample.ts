import { collectorNames, columns } from '../../src/catalogue/catalogue.ts';
import type { Scope } from '../../src/catalogue/define.ts';
import type { PartLists } from '../../src/catalogue/entities.ts';
import { Row } from '../../src/catalogue/row.ts';
import { listsOf } from '../../src/catalogue/row-tree.ts';
import type { Part } from '../../src/catalogue/row-tree.ts';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import type { AgentRows, HostRows, Sample, GuestRows } from '../../src/sampling/sample.ts';

export const settings: PrinterSettings = {
  layout: 'cycle',
  verbose: true,
  devices: true,
  human: false,
  names: 'proxtop',
};

/** Sets values and texts by id. */
export function set(row: Row, known: Readonly<Record<string, number | string>>): Row {
  for (const [id, value] of Object.entries(known)) {
    const metric = columns(row.scope).find((candidate) => candidate.id === id);
    if (metric === undefined) throw new RangeError(`no ${id} in ${row.scope}`);
    if (typeof value === 'string') row.texts[metric.slot] = value;
    else row.values[metric.slot] = value;
  }
  return row;
}

export function row(scope: Scope, known: Readonly<Record<string, number | string>> = {}): Row {
  return set(new Row(scope), known);
}

const none = (): readonly Row[] => [];

export function vmRows(vmRow: Row, devices: Partial<PartLists<'vm', readonly Row[]>> = {}): GuestRows {
  const text = (id: string): string =>
    vmRow.texts[columns('vm').find((metric) => metric.id === id)!.slot] ?? '';
  const [uuid, name, vmid] = [text('UUID'), text('name'), text('vmid')];
  const key = `${uuid}:${text('pid')}`;
  const vm = { type: 'qemu', key, uuid, name, vmid: vmid || undefined } as const;
  return { guest: vm, twin: false, row: vmRow, ...listsOf('vm', none), ...devices };
}

/** Parts of a sample that a test sets. */
type SampleParts = Partial<Omit<Sample, 'host' | 'agent'>> & {
  readonly host?: Partial<HostRows>;
  readonly agent?: Partial<AgentRows>;
};

export function sampleOf(parts: SampleParts = {}): Sample {
  return {
    time: Date.UTC(2026, 10, 22, 12),
    run: 'r1',
    seq: 42,
    interval: 1.00042,
    guests: [],
    collectors: [...collectorNames, 'profile'],
    runs: collectorNames.map((name) => ({ name, duration: 1, failed: false })),
    ...parts,
    host: { row: row('host'), ...listsOf('host', none), ...parts.host },
    agent: { row: row('agent'), ...listsOf('agent', none), ...parts.agent },
  };
}

/** A sample with one row of each scope, in which every declared metric is known. */
export function completeSample(value: (slot: number) => number, text: (id: string) => string): Sample {
  const full = (scope: Scope): Row => {
    const filled = new Row(scope);
    for (const { id, slot, kind } of columns(scope)) {
      if (kind === 'text') filled.texts[slot] = text(id);
      else filled.values[slot] = value(slot);
    }
    return filled;
  };
  const one = ({ scope }: Part): readonly Row[] => [full(scope)];
  return sampleOf({
    host: { row: full('host'), ...listsOf('host', one) },
    guests: [vmRows(full('vm'), listsOf('vm', one))],
    agent: { row: full('agent'), ...listsOf('agent', one) },
  });
}
