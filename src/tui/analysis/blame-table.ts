import type { GuestRows } from '../../sampling/sample.ts';
import type { Culprit, Contention, Victim } from './blame.ts';
import type { Load, Resource } from './demand.ts';
import { quantity } from '../values/quantity.ts';
import { metricOf, textOf } from '../values/row-values.ts';

/** A table of texts; every row has as many cells as the heading. */
export interface BlameCells {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A shortage as it is shown: what is short, who suffers, and beside it who takes most. */
export interface BlameTable {
  readonly title: string;
  readonly victims: BlameCells;
  readonly culprits: BlameCells;
  /** What else there is to know. */
  readonly remarks: readonly string[];
}

const titles: Readonly<Record<Resource, string>> = {
  cpu: 'CPU of the host',
  disk: 'Disks',
  memory: 'Memory of the host',
  network: 'Network',
};

/** The loads that culprits are measured by. */
const kinds: Readonly<Record<Resource, readonly Load['kind'][]>> = {
  cpu: ['%CPU'],
  disk: ['IOPS', 'MiB/s'],
  memory: ['RSS'],
  network: ['Mbit/s'],
};

/** What limits a VM in its configuration. */
const limits: Readonly<Record<Resource, string>> = {
  cpu: 'cpulimit',
  disk: 'iops, mbps',
  memory: 'memory',
  network: 'rate',
};

const reasons = { limit: 'own limit', device: 'not the storage' } as const;

/** Puts a shortage into cells. Names are as the tenants gave them: whoever shows them takes control characters out. */
export function blameTable({ resource, where, victims, culprits }: Contention): BlameTable {
  const remarks: string[] = [];
  if (victims.some(({ own }) => own === 'limit'))
    remarks.push(
      `One with "own limit" has reached its own limit (${limits[resource]}), and no other guest is to blame.`,
    );
  if (victims.some(({ own }) => own === 'device'))
    remarks.push('With "not the storage" the device below answers fast: most of the time passes in QEMU.');
  if (resource === 'disk' && where === undefined)
    remarks.push('It is not known which storage the disks lie on: all disks of the host are compared.');
  if (resource === 'network')
    remarks.push('Packets are also dropped where a guest does not take them in time: look at its %RDY.');
  return {
    title: where === undefined ? titles[resource] : `${resource === 'cpu' ? 'CPUs' : 'Disks on'} ${where}`,
    victims: { heading: ['VM', 'VMID', 'DEVICE', 'SUFFERS', 'VALUE'], rows: victims.map(victimCells) },
    culprits: {
      heading: ['VM', 'VMID', 'SHARE', ...kinds[resource]],
      rows: culprits.map((culprit) => culpritCells(culprit, kinds[resource])),
    },
    remarks,
  };
}

function victimCells({ vm, device, id, value, own }: Victim): readonly string[] {
  const { title = id, unit = '-' } = metricOf(device === undefined ? 'vm' : deviceScope(id), id) ?? {};
  return [
    ...nameCells(vm),
    device ?? '',
    own === undefined ? title : `${title}, ${reasons[own]}`,
    quantity(value, unit),
  ];
}

function deviceScope(id: string): 'vm_nic' | 'vm_disk' {
  return id.startsWith('net_') ? 'vm_nic' : 'vm_disk';
}

function culpritCells({ vm, share, loads }: Culprit, wanted: readonly Load['kind'][]): readonly string[] {
  const cells = wanted.map((kind) => {
    const load = loads.find((each) => each.kind === kind);
    if (load === undefined) return '-';
    return kind === 'RSS' ? quantity(load.value, 'bytes') : load.value.toFixed(1);
  });
  return [...nameCells(vm), `${share.toFixed(0)}%`, ...cells];
}

function nameCells(vm: GuestRows | undefined): readonly [name: string, vmid: string] {
  if (vm === undefined) return ['(the host itself)', ''];
  return [textOf(vm.row, 'name') ?? '', textOf(vm.row, 'vmid') ?? ''];
}
