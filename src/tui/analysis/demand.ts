import { dirname } from 'node:path';
import { parseCpuList } from '../../kernel/sys/cpu-list.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Sample, GuestRows } from '../../sampling/sample.ts';
import { textOf, valueOf } from '../values/row-values.ts';

/** What VMs of one host share. */
export type Resource = 'cpu' | 'disk' | 'memory' | 'network';

/** How much of something: `%` of one CPU, operations or MiB or megabit per second, bytes. */
export interface Load {
  readonly kind: '%CPU' | 'IOPS' | 'MiB/s' | 'Mbit/s' | 'RSS';
  readonly value: number;
}

/** What one takes of a resource. */
export interface Demand {
  /** Undefined for what is no VM: the host itself. */
  readonly vm: GuestRows | undefined;
  /** Only what is known. */
  readonly loads: readonly Load[];
}

/**
 * What each VM, and where it is known the host itself, takes of a resource.
 *
 * @param where counts only VMs that may run on these CPUs, or disks on this storage; undefined for the whole host
 */
export function demandsFor(
  resource: Resource,
  { guests, host }: Sample,
  where: string | undefined,
): readonly Demand[] {
  switch (resource) {
    case 'cpu': {
      if (where === undefined) return withRest(demandsOf(guests, cpuOf), busy(host.row));
      const cpus = parseCpuList(where);
      return demandsOf(
        guests.filter((vm) => mayRunOn(vm, cpus)),
        cpuOf,
      );
    }
    case 'disk':
      return demandsOf(guests, (vm) => diskOf(vm, where));
    case 'memory':
      return demandsOf(guests, ({ row }) => [{ kind: 'RSS', value: residentOf(row) }]);
    case 'network':
      return demandsOf(guests, ({ row }) => [
        { kind: 'Mbit/s', value: valueOf(row, 'net_rx_mbit') + valueOf(row, 'net_tx_mbit') },
      ]);
  }
}

/** The CPUs that a VM is pinned to; undefined where it may run on all of the host, or that is not known. */
export function pinnedTo({ row }: GuestRows, host: Row): string | undefined {
  const list = textOf(row, 'cpu_affinity');
  return list !== undefined && parseCpuList(list).size < valueOf(host, 'cpu_cores') ? list : undefined;
}

function mayRunOn({ row }: GuestRows, cpus: ReadonlySet<number>): boolean {
  const list = textOf(row, 'cpu_affinity');
  return list === undefined || [...parseCpuList(list)].some((cpu) => cpus.has(cpu));
}

/** Where a disk lies: the storage of Proxmox VE, or the directory of its file or device; undefined where not known. */
export function diskStorage(disk: Row): string | undefined {
  const path = textOf(disk, 'disk_path');
  return textOf(disk, 'disk_storage') ?? (path === undefined ? undefined : dirname(path));
}

function demandsOf(
  vms: readonly GuestRows[],
  loadsOf: (vm: GuestRows) => readonly Load[],
): readonly Demand[] {
  return vms.map((vm) => ({ vm, loads: loadsOf(vm).filter(({ value }) => !Number.isNaN(value)) }));
}

/** Adds what remains of a total for the host itself. */
function withRest(demands: readonly Demand[], { kind, value }: Load): readonly Demand[] {
  if (Number.isNaN(value)) return demands;
  const ofVms = demands.flatMap(({ loads }) => loads).reduce((sum, load) => sum + load.value, 0);
  return [...demands, { vm: undefined, loads: [{ kind, value: Math.max(0, value - ofVms) }] }];
}

/** What cannot be taken back without swapping: of a container all but its caches. */
function residentOf(row: Row): number {
  const rss = valueOf(row, 'ram_rss');
  return Number.isNaN(rss) ? valueOf(row, 'ram_used') : rss;
}

/** vCPUs and all other threads of QEMU; all processes of a container. */
function cpuOf({ row }: GuestRows): readonly Load[] {
  const vcpus = valueOf(row, 'cpu_total') * valueOf(row, 'cpu_cores');
  return [{ kind: '%CPU', value: vcpus + (valueOf(row, 'cpu_other_total') || 0) }];
}

function busy(host: Row): Load {
  const idle = valueOf(host, 'cpu_idle') + valueOf(host, 'cpu_iowait');
  return { kind: '%CPU', value: (100 - idle) * valueOf(host, 'cpu_cores') };
}

/** Operations and bytes of the disks; as a whole also what the process moves otherwise, such as a backup. */
function diskOf({ row, disks }: GuestRows, storage: string | undefined): readonly Load[] {
  const sum = (rows: readonly Row[], ...ids: readonly string[]): number => {
    const known = rows.flatMap((each) => ids.map((id) => valueOf(each, id))).filter((value) => value >= 0);
    return known.length === 0 ? NaN : known.reduce((total, value) => total + value, 0);
  };
  const rows = storage === undefined ? [row] : disks.filter((disk) => diskStorage(disk) === storage);
  const bytes = sum(rows, 'disk_read_mib', 'disk_write_mib');
  const ofProcess = storage === undefined ? sum([row], 'io_read_mib', 'io_write_mib') : NaN;
  return [
    { kind: 'IOPS', value: sum(rows, 'disk_reads', 'disk_writes', 'disk_flushes') },
    { kind: 'MiB/s', value: ofProcess > bytes || Number.isNaN(bytes) ? ofProcess : bytes },
  ];
}
