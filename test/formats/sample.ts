import { collectorNames, columns } from '../../src/catalogue/catalogue.ts';
import type { Scope } from '../../src/catalogue/define.ts';
import { Row } from '../../src/catalogue/row.ts';
import type { PrinterSettings } from '../../src/formats/printer.ts';
import type { HostRows, Sample, VmRows } from '../../src/sampling/sample.ts';

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

export function vmRows(vmRow: Row, devices: Partial<Pick<VmRows, 'vcpus' | 'disks' | 'nics'>> = {}): VmRows {
  const text = (id: string): string =>
    vmRow.texts[columns('vm').find((metric) => metric.id === id)!.slot] ?? '';
  const [uuid, name, vmid] = [text('UUID'), text('name'), text('vmid')];
  const key = `${uuid}:${text('pid')}`;
  const vm = { key, uuid, name, vmid: vmid || undefined, vcpus: 1, disks: [], nics: [] };
  return { vm, twin: false, row: vmRow, vcpus: [], disks: [], nics: [], ...devices };
}

export function sampleOf(parts: Partial<Omit<Sample, 'host'>> & { host?: Partial<HostRows> } = {}): Sample {
  return {
    time: Date.UTC(2026, 10, 22, 12),
    run: 'r1',
    seq: 42,
    interval: 1.00042,
    vms: [],
    agent: row('agent'),
    outputs: [],
    collectors: [...collectorNames, 'profile'],
    runs: collectorNames.map((name) => ({ name, duration: 1, failed: false })),
    ...parts,
    host: { row: row('host'), disks: [], nics: [], ...parts.host },
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
  return sampleOf({
    host: { row: full('host'), disks: [full('host_disk')], nics: [full('host_nic')] },
    vms: [vmRows(full('vm'), { vcpus: [full('vm_vcpu')], disks: [full('vm_disk')], nics: [full('vm_nic')] })],
    agent: full('agent'),
    outputs: [full('agent_output')],
  });
}
