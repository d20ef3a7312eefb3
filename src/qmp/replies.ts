import type { QmpQuery } from './query.ts';
import { list, record, shortText } from '../base/untyped/values.ts';

/** From 2^64-1 on a statistic of the guest means that the guest does not report it. */
const UNKNOWN = 2 ** 64;

/** State of the VM. */
export interface Status {
  /** running, paused, prelaunch, io-error, ... */
  readonly status: string | undefined;
  readonly running: boolean | undefined;
}

/** Source: query-status, QEMU qapi/run-state.json. */
export const queryStatus: QmpQuery<Status> = {
  execute: 'query-status',
  read: (reply) => {
    const { status: found, running } = record(reply);
    return { status: shortText(found), running: typeof running === 'boolean' ? running : undefined };
  },
};

/** The balloon as the host sees it, and in Proxmox VE's QEMU what the guest reported last; sizes in bytes. */
export interface Balloon {
  readonly actual?: number;
  readonly max?: number;
  readonly total?: number;
  readonly free?: number;
  /** Bytes swapped in and out since the guest booted. */
  readonly swapIn?: number;
  readonly swapOut?: number;
  /** When the guest reported, in seconds since 1970. */
  readonly lastUpdate?: number;
}

/**
 * Plain QEMU tells `actual` only. Error class DeviceNotActive: the VM has no balloon.
 *
 * Source: query-balloon, QEMU qapi/machine.json with Proxmox VE's extension.
 */
export const queryBalloon: QmpQuery<Balloon> = {
  execute: 'query-balloon',
  read: (reply) =>
    pick(record(reply), {
      actual: 'actual',
      max: 'max_mem',
      total: 'total_mem',
      free: 'free_mem',
      swapIn: 'mem_swapped_in',
      swapOut: 'mem_swapped_out',
      lastUpdate: 'last_update',
    }),
};

/** What the balloon driver in the guest reported last; sizes in bytes. */
export interface GuestStats {
  readonly total?: number;
  readonly free?: number;
  /** Memory that can be had without swapping. */
  readonly available?: number;
  readonly caches?: number;
  readonly swapIn?: number;
  readonly swapOut?: number;
  readonly majorFaults?: number;
  readonly minorFaults?: number;
  /** When the guest reported, in seconds since 1970. */
  readonly lastUpdate?: number;
}

/**
 * Nothing is known where the guest never reported. An error where there is no device `balloon0`, the name Proxmox VE
 * gives it.
 *
 * Source: qom-get of guest-stats, QEMU docs/interop/virtio-balloon-stats.rst.
 */
export const queryGuestStats: QmpQuery<GuestStats> = {
  execute: 'qom-get',
  arguments: { path: '/machine/peripheral/balloon0', property: 'guest-stats' },
  read: (reply) => {
    const { stats, ...times } = record(reply);
    const { lastUpdate } = pick(times, { lastUpdate: 'last-update' });
    if (lastUpdate === undefined || lastUpdate === 0) return {};
    const known = pick(record(stats), {
      total: 'stat-total-memory',
      free: 'stat-free-memory',
      available: 'stat-available-memory',
      caches: 'stat-disk-caches',
      swapIn: 'stat-swap-in',
      swapOut: 'stat-swap-out',
      majorFaults: 'stat-major-faults',
      minorFaults: 'stat-minor-faults',
    });
    return { ...known, lastUpdate };
  },
};

/** A vCPU and the host thread that runs it. */
export interface Cpu {
  readonly index: number;
  readonly thread: number;
}

/** vCPUs that QEMU can have are 4096 at most. */
const MOST_CPUS = 4096;

/** Source: query-cpus-fast, QEMU qapi/machine.json; it does not disturb the vCPUs. */
export const queryCpus: QmpQuery<readonly Cpu[]> = {
  execute: 'query-cpus-fast',
  most: MOST_CPUS,
  read: (reply) => {
    return list(reply).flatMap((entry) => {
      const { index, thread } = pick(record(entry), { index: 'cpu-index', thread: 'thread-id' });
      return index === undefined || thread === undefined ? [] : { index, thread };
    });
  },
};

/** The members of a reply that are known numbers, under our names. */
function pick<K extends string>(
  reply: Readonly<Record<string, unknown>>,
  keys: Record<K, string>,
): { [N in K]?: number } {
  const picked: { [N in K]?: number } = {};
  for (const name in keys) {
    const value = reply[keys[name]];
    if (typeof value === 'number' && value >= 0 && value < UNKNOWN) picked[name] = value;
  }
  return picked;
}
