import type { Row } from '../../catalogue/row.ts';
import type { GuestRows, HostRows } from '../../sampling/sample.ts';
import { bytes, number, percent } from '../../verdicts/wording.ts';
import { textOf, valueOf } from '../values/row-values.ts';

/** Whether something is a cause at this moment: yes, no, or not known. */
export interface Evidence {
  readonly holds: boolean | undefined;
  /** With the numbers of this moment. */
  readonly text: string;
}

/** The place of a value that is to be explained. */
export interface Place {
  readonly row: Row;
  readonly guest: GuestRows;
  readonly host: HostRows;
}

type Check = (place: Place) => Evidence;

/**
 * A cause that one number decides.
 * @param holds whether it is the cause; not asked where the number is not known
 */
function byNumber(value: number, what: string, holds: (value: number) => boolean, told: string): Evidence {
  return Number.isNaN(value)
    ? { holds: undefined, text: `${what}: not known` }
    : { holds: holds(value), text: `${what}: ${told}` };
}

const busyHost: Check = ({ host: { row } }) => {
  const busy =
    100 - valueOf(row, 'cpu_idle') - (valueOf(row, 'cpu_iowait') || 0) - (valueOf(row, 'cpu_steal') || 0);
  const told = `${percent(busy)} busy (from 85 %)`;
  return byNumber(busy, 'the CPUs of the host are short', (value) => value >= 85, told);
};

const ownCpuLimit: Check = ({ guest: { row } }) => {
  const throttled = valueOf(row, 'cpu_throttled') / valueOf(row, 'cpu_cores');
  const used = valueOf(row, 'cpu_limit_used');
  const ready = valueOf(row, 'cpu_steal');
  const isHeld = (value: number): boolean => value > 0 && !(value < ready / 2);
  if (!Number.isNaN(throttled)) {
    const told = `holds each vCPU back ${percent(throttled)} of the time`;
    return byNumber(throttled, 'its own CPU limit', isHeld, told);
  }
  return byNumber(used, 'its own CPU limit', (value) => value >= 90, `${percent(used)} of it used`);
};

const pinned: Check = ({ guest, host }) => {
  const list = textOf(guest.row, 'cpu_affinity');
  if (list === undefined) return { holds: undefined, text: 'it is pinned to few CPUs: not known' };
  const busy = host.cpus
    .filter((cpu) => isInList(list, Number(textOf(cpu, 'device'))))
    .map((cpu) => valueOf(cpu, 'cpu_busy'));
  const mean = busy.reduce((sum, value) => sum + value, 0) / busy.length;
  const isAll = busy.length >= valueOf(host.row, 'cpu_cores');
  if (isAll) return { holds: false, text: 'it is pinned to few CPUs: it may run on all' };
  const told = `CPUs ${list} are ${percent(mean)} busy`;
  return byNumber(mean, 'it is pinned to few CPUs', (value) => value >= 85, told);
};

function isInList(list: string, cpu: number): boolean {
  return list.split(',').some((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return cpu >= first && cpu <= last;
  });
}

const hostSteal: Check = ({ host: { row } }) => {
  const steal = valueOf(row, 'cpu_steal');
  return byNumber(steal, 'the host waits for its own hypervisor', (value) => value >= 5, percent(steal));
};

const ownDiskLimit: Check = ({ row, guest }) => {
  const used = largest(row, guest, 'disk_limit_used');
  const hasNone = Number.isNaN(used) && !Number.isNaN(valueOf(row, 'disk_reads'));
  if (hasNone) return { holds: false, text: 'its own disk limit: none is known' };
  return byNumber(used, 'its own disk limit', (value) => value >= 90, `${percent(used)} of it used`);
};

/** The largest value among the disks; of the disk itself where the row is one. */
function largest(row: Row, { disks }: GuestRows, id: string): number {
  const values = (row.scope === 'vm_disk' ? [row] : disks).map((disk) => valueOf(disk, id));
  return values.reduce((most, value) => (value > most || Number.isNaN(most) ? value : most), NaN);
}

const slowDevice: Check = ({ row, guest }) => {
  const device = ['disk_davg_rd', 'disk_davg_wr']
    .map((id) => largest(row, guest, id))
    .reduce((most, value) => (value > most || Number.isNaN(most) ? value : most), NaN);
  const latency = valueOf(row, 'disk_lat_avg');
  const holds = (value: number): boolean => value >= 15 && !(value < latency / 2);
  return byNumber(device, 'the device below is slow', holds, `it answers in ${number(device)} ms`);
};

const qemuWaits: Check = ({ guest: { row } }) => {
  const wait = valueOf(row, 'cpu_other_steal');
  const told = `%OTHRDY ${percent(wait)} (from 20 %)`;
  return byNumber(wait, 'QEMU itself waits for a CPU', (value) => value >= 20, told);
};

const fullThread: Check = ({ guest: { row } }) => {
  const used = valueOf(row, 'cpu_other_max');
  const thread = textOf(row, 'cpu_other_busiest') ?? 'the busiest';
  return byNumber(used, 'a thread of QEMU is full', (value) => value >= 90, `${thread} ${percent(used)}`);
};

const backup: Check = ({ guest: { row } }) => {
  const lock = textOf(row, 'lock');
  const what = 'a backup or snapshot is under way';
  if (lock === undefined) return { holds: false, text: `${what}: no lock` };
  return { holds: lock === 'backup' || lock.startsWith('snapshot'), text: `${what}: lock ${lock}` };
};

const comesBack: Check = ({ guest: { row } }) => {
  const faults = valueOf(row, 'ram_majflt');
  const told = `${number(faults)} faults/s (from 50)`;
  return byNumber(faults, 'it wants memory back from swap', (value) => value >= 50, told);
};

const tightHost: Check = ({ host: { row } }) => {
  const left = (valueOf(row, 'ram_obtainable') / valueOf(row, 'ram_total')) * 100;
  const told = `${percent(left)} can be had (short up to 10 %)`;
  return byNumber(left, 'the host is short of memory', (value) => value <= 10, told);
};

const balloon: Check = ({ guest: { row } }) => {
  const taken = valueOf(row, 'ram_ballooned');
  return byNumber(taken, 'its balloon took memory', (value) => value > 0, bytes(taken));
};

const ownMemoryLimit: Check = ({ guest: { row } }) => {
  const used = valueOf(row, 'ram_limit_used');
  return byNumber(used, 'its own memory limit', (value) => value >= 90, `${percent(used)} of it used`);
};

const fullVcpu: Check = ({ guest: { row } }) => {
  const used = valueOf(row, 'cpu_total_max');
  return byNumber(used, 'one of its vCPUs is full', (value) => value >= 95, percent(used));
};

const waitsForCpu: Check = ({ guest: { row } }) => {
  const ready = valueOf(row, 'cpu_steal');
  return byNumber(ready, 'its vCPUs wait for a CPU', (value) => value >= 10, `%RDY ${percent(ready)}`);
};

const ownRate: Check = ({ row }) => {
  const used = valueOf(row, 'net_limit_used');
  return byNumber(used, 'its own rate limit', (value) => value >= 90, `${percent(used)} of it used`);
};

const cpuChecks = [ownCpuLimit, busyHost, pinned, hostSteal];
const diskChecks = [ownDiskLimit, slowDevice, qemuWaits, fullThread, backup];
const memoryChecks = [comesBack, tightHost, balloon];

/** Possible causes of a value of a guest, by the id of its metric: the same that verdicts use (docs/verdicts.md). */
const checks: Readonly<Record<string, readonly Check[]>> = {
  cpu_steal: cpuChecks,
  cpu_steal_max: cpuChecks,
  cpu_contention: cpuChecks,
  psi_some_cpu_avg10: cpuChecks,
  cpu_other_steal: [busyHost, pinned],
  disk_lat_avg: diskChecks,
  disk_lat_rd: diskChecks,
  disk_lat_wr: diskChecks,
  disk_lat_fl: [slowDevice, qemuWaits, fullThread, backup],
  ram_swap: memoryChecks,
  ram_majflt: memoryChecks,
  psi_full_mem_avg10: [ownMemoryLimit, ...memoryChecks],
  psi_some_mem_avg10: [ownMemoryLimit, ...memoryChecks],
  ram_oom_kills: [ownMemoryLimit, tightHost],
  net_rx_drop_percent: [ownRate, fullVcpu, waitsForCpu, fullThread],
};

/** What speaks for and against each cause of a value at this moment; nothing where no rule decides. @param id of the metric */
export function evidenceFor(id: string, place: Place): readonly Evidence[] {
  return (checks[id] ?? []).map((check) => check(place));
}
