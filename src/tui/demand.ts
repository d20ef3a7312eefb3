import { dirname } from 'node:path';
import type { Row } from '../metrics/row.ts';
import type { Sample, VmRows } from '../sampling/sample.ts';
import { textOf, valueOf } from './row-values.ts';

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
  readonly vm: VmRows | undefined;
  /** Only what is known. */
  readonly loads: readonly Load[];
}

/** What each VM, and the host itself, takes of a resource. @param storage counts only disks on it, where given */
export function demandsFor(
  resource: Resource,
  sample: Sample,
  storage: string | undefined,
): readonly Demand[] {
  switch (resource) {
    case 'cpu':
      return withHost(sample, cpuOf, busy(sample.host.row));
    case 'disk':
      return withHost(sample, (vm) => diskOf(vm, storage));
    case 'memory':
      return withHost(sample, ({ row }) => [{ kind: 'RSS', value: valueOf(row, 'ram_rss') }]);
    case 'network':
      return withHost(sample, ({ row }) => [
        { kind: 'Mbit/s', value: valueOf(row, 'net_rx_mbit') + valueOf(row, 'net_tx_mbit') },
      ]);
  }
}

/** Where a disk lies: the storage of Proxmox VE, or the directory of its file or device; undefined where not known. */
export function storageOf(disk: Row): string | undefined {
  const path = textOf(disk, 'disk_path');
  return textOf(disk, 'disk_storage') ?? (path === undefined ? undefined : dirname(path));
}

/** @param total what VMs and host take together, where that is known: what remains is the host's own */
function withHost(sample: Sample, ofVm: (vm: VmRows) => readonly Load[], total?: Load): readonly Demand[] {
  const demands: Demand[] = sample.vms.map((vm) => ({
    vm,
    loads: ofVm(vm).filter(({ value }) => !Number.isNaN(value)),
  }));
  if (total === undefined || Number.isNaN(total.value)) return demands;
  const ofVms = demands.flatMap(({ loads }) => loads).reduce((sum, { value }) => sum + value, 0);
  const rest = Math.max(0, total.value - ofVms);
  return [...demands, { vm: undefined, loads: [{ kind: total.kind, value: rest }] }];
}

/** vCPUs and all other threads of QEMU. */
function cpuOf({ row }: VmRows): readonly Load[] {
  const vcpus = valueOf(row, 'cpu_total') * valueOf(row, 'cpu_cores');
  return [{ kind: '%CPU', value: vcpus + (valueOf(row, 'cpu_other_total') || 0) }];
}

function busy(host: Row): Load {
  const idle = valueOf(host, 'cpu_idle') + valueOf(host, 'cpu_iowait');
  return { kind: '%CPU', value: (100 - idle) * valueOf(host, 'cpu_cores') };
}

/** Operations and bytes of the disks; as a whole also what the process moves otherwise, such as a backup. */
function diskOf({ row, disks }: VmRows, storage: string | undefined): readonly Load[] {
  const sum = (rows: readonly Row[], ...ids: readonly string[]): number => {
    const known = rows.flatMap((each) => ids.map((id) => valueOf(each, id))).filter((value) => value >= 0);
    return known.length === 0 ? NaN : known.reduce((total, value) => total + value, 0);
  };
  const rows = storage === undefined ? [row] : disks.filter((disk) => storageOf(disk) === storage);
  const bytes = sum(rows, 'disk_read_mib', 'disk_write_mib');
  const ofProcess = storage === undefined ? sum([row], 'io_read_mib', 'io_write_mib') : NaN;
  return [
    { kind: 'IOPS', value: sum(rows, 'disk_reads', 'disk_writes', 'disk_flushes') },
    { kind: 'MiB/s', value: ofProcess > bytes || Number.isNaN(bytes) ? ofProcess : bytes },
  ];
}
