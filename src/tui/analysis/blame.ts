import type { Thresholds } from '../../config/thresholds.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Sample, GuestRows } from '../../sampling/sample.ts';
import { demandsFor, pinnedTo, diskStorage } from './demand.ts';
import type { Demand, Load, Resource } from './demand.ts';
import { ownReason } from './disk-latency.ts';
import { textOf, valueOf } from '../values/row-values.ts';
import { judge } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** A VM that does not get what it wants, and what shows it. */
export interface Victim {
  readonly vm: GuestRows;
  /** The disk or NIC that suffers; undefined for the VM as a whole. */
  readonly device: string | undefined;
  /** Of the metric. */
  readonly id: string;
  readonly value: number;
  readonly verdict: Exclude<Verdict, 'ok'>;
  /**
   * Why others are not to blame: it is held back by a limit of its own (CPU, memory, disk) more than by them, or the device
   * below its disk answers fast.
   */
  readonly own: 'limit' | 'device' | undefined;
}

/** Who takes of what victims lack. */
export interface Culprit {
  /** Undefined for what is no VM: the host itself. */
  readonly vm: GuestRows | undefined;
  /** Percent of what all together take; of several kinds of load the largest one. */
  readonly share: number;
  readonly loads: readonly Load[];
}

/** Something that is short: on the host, on some of its CPUs, or on one of its storages. */
export interface Contention {
  readonly resource: Resource;
  /** The CPUs that victims are pinned to, or the storage; undefined for the host as a whole. */
  readonly where: string | undefined;
  /** The worst first. */
  readonly victims: readonly Victim[];
  /** The greediest first; none when no victim waits for others. */
  readonly culprits: readonly Culprit[];
}

const latencies = ['disk_lat_avg', 'disk_lat_rd', 'disk_lat_wr', 'disk_lat_fl'];
const drops = ['net_rx_drop_percent', 'net_tx_drop_percent'];

/** What shows that a VM, or one of its devices, suffers from a shortage. */
const symptoms: Readonly<
  Record<Resource, { readonly vm: readonly string[]; readonly device: readonly string[] }>
> = {
  cpu: { vm: ['cpu_steal', 'cpu_throttled', 'psi_some_cpu_avg10'], device: [] },
  disk: { vm: [...latencies, 'psi_full_io_avg10', 'psi_some_io_avg10'], device: latencies },
  memory: {
    vm: ['ram_oom_kills', 'ram_limit_used', 'ram_swap', 'psi_full_mem_avg10', 'psi_some_mem_avg10'],
    device: [],
  },
  network: { vm: drops, device: drops },
};

/** Who takes less than so many percent is no culprit. */
const LEAST_SHARE = 1;
/** Beyond so many times the bad level one value is as bad as another. */
const WORST = 10;

/**
 * Ranks, for the interval of a sample, the VMs that suffer (waiting for a CPU, latency, drops, swapping, pressure)
 * beside those that take most of the same resource: the CPUs of the host, or those that a victim is pinned to; a storage,
 * where it is known on which one a disk lies; memory and network of the host. That both happen at a time is a hint and no proof.
 *
 * @param thresholds what is a warning makes a victim
 * @returns what is short, the worst first; nothing when no VM suffers
 */
export function blame(sample: Sample, thresholds: Thresholds): readonly Contention[] {
  const shortages = (['cpu', 'disk', 'memory', 'network'] as const).flatMap((resource) =>
    [...victimsBy(resource, sample, thresholds)].map(([where, victims]) => ({
      resource,
      where,
      victims: victims.sort((a, b) => severity(b, thresholds) - severity(a, thresholds)),
      culprits: victims.every(({ own }) => own !== undefined)
        ? []
        : ranked(demandsFor(resource, sample, where)),
    })),
  );
  const worst = ({ victims }: Contention): number =>
    Math.max(...victims.map((victim) => severity(victim, thresholds)));
  return shortages.sort((a, b) => worst(b) - worst(a));
}

/** The victims of a shortage by the place where it is. */
function victimsBy(
  resource: Resource,
  { guests, host }: Sample,
  thresholds: Thresholds,
): ReadonlyMap<string | undefined, Victim[]> {
  const places = new Map<string | undefined, Victim[]>();
  for (const vm of guests) {
    const victim = victimOf(vm, resource, thresholds);
    if (victim === undefined) continue;
    const where = placeOf(resource, victim, host.row);
    places.set(where, [...(places.get(where) ?? []), victim]);
  }
  return places;
}

/** The worst that a VM shows of a shortage; undefined when it shows nothing of it. */
function victimOf(vm: GuestRows, resource: Resource, thresholds: Thresholds): Victim | undefined {
  const ids = symptoms[resource];
  const ofVm = ownReasonOf(vm, resource, thresholds);
  let worst: Victim | undefined;
  const look = (row: Row, id: string, device: string | undefined): void => {
    const value = valueOf(row, id);
    const verdict = judge(thresholds, id, value, row);
    if (verdict === 'ok') return;
    const isDisk = resource === 'disk' && device !== undefined;
    const own = isDisk ? ownReason(row, id, value, thresholds) : ofVm;
    const victim = { vm, device, id, value, verdict, own };
    if (worst === undefined || severity(victim, thresholds) > severity(worst, thresholds)) worst = victim;
  };
  // A device says more than the mean over all of them: it goes first, for the case that both are the same.
  const devices = resource === 'disk' ? vm.disks : resource === 'network' ? vm.nics : [];
  for (const row of devices) for (const id of ids.device) look(row, id, textOf(row, 'device'));
  for (const id of ids.vm) look(vm.row, id, undefined);
  return worst;
}

/** Why what a guest as a whole shows is not due to others; of its disks the slowest one tells. */
function ownReasonOf({ row, disks }: GuestRows, resource: Resource, thresholds: Thresholds): Victim['own'] {
  if (resource !== 'disk') return isLimited(resource, row, thresholds) ? 'limit' : undefined;
  const latency = (disk: Row): number => valueOf(disk, 'disk_lat_avg') || 0;
  const [slowest] = [...disks].sort((a, b) => latency(b) - latency(a));
  if (slowest === undefined || judge(thresholds, 'disk_lat_avg', latency(slowest), slowest) === 'ok')
    return undefined;
  return ownReason(slowest, 'disk_lat_avg', latency(slowest), thresholds);
}

/** Whether a guest would lack little without a limit of its own. */
function isLimited(resource: Resource, row: Row, thresholds: Thresholds): boolean {
  if (resource === 'memory')
    return judge(thresholds, 'ram_limit_used', valueOf(row, 'ram_limit_used'), row) !== 'ok';
  return resource === 'cpu' && isCpuLimited(row, thresholds);
}

/**
 * Whether a guest would wait little for a CPU without its limit. The kernel counts the time that a limit holds back once for
 * each CPU that the group used, and what is held back as waiting. How long a container waits only its pressure tells.
 */
function isCpuLimited(row: Row, thresholds: Thresholds): boolean {
  const limited = valueOf(row, 'cpu_throttled');
  if (judge(thresholds, 'cpu_throttled', limited, row) === 'ok') return false;
  const steal = valueOf(row, 'cpu_steal');
  if (Number.isNaN(steal)) {
    const pressure = valueOf(row, 'psi_some_cpu_avg10') - limited;
    return judge(thresholds, 'psi_some_cpu_avg10', pressure, row) === 'ok';
  }
  return judge(thresholds, 'cpu_steal', steal - limited / valueOf(row, 'cpu_cores'), row) === 'ok';
}

/** How far a value is beyond the level that makes it bad. */
function severity({ id, value, verdict }: Victim, thresholds: Thresholds): number {
  const bad = thresholds.get(id)?.bad ?? Infinity;
  return (verdict === 'bad' ? 1 : 0) + Math.min(WORST, value / bad);
}

/** Where a victim suffers; undefined for the host as a whole. */
function placeOf(resource: Resource, { vm, device }: Victim, host: Row): string | undefined {
  switch (resource) {
    case 'cpu':
      return pinnedTo(vm, host);
    case 'disk': {
      const disk = vm.disks.find((row) => textOf(row, 'device') === device) ?? busiest(vm.disks);
      return disk && diskStorage(disk);
    }
    case 'memory':
    case 'network':
      return undefined;
  }
}

/** The disk with the most operations. */
function busiest(disks: readonly Row[]): Row | undefined {
  const operations = (row: Row): number => valueOf(row, 'disk_reads') + valueOf(row, 'disk_writes') || 0;
  return [...disks].sort((a, b) => operations(b) - operations(a))[0];
}

/** Turns loads into shares, the largest first. */
function ranked(demands: readonly Demand[]): readonly Culprit[] {
  const totals = new Map<Load['kind'], number>();
  for (const { kind, value } of demands.flatMap(({ loads }) => loads))
    totals.set(kind, (totals.get(kind) ?? 0) + value);
  return demands
    .map(({ vm, loads }) => {
      const shares = loads.map(({ kind, value }) => (value / (totals.get(kind) || Infinity)) * 100);
      return { vm, share: Math.max(0, ...shares), loads };
    })
    .filter(({ share }) => share >= LEAST_SHARE)
    .sort((a, b) => b.share - a.share);
}
