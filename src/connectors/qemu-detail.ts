import { Counters } from '../kernel/counters.ts';
import type { BlockStats } from '../qmp/blockstats.ts';
import { queryBlockstats } from '../qmp/blockstats.ts';
import type { QmpAnswer } from '../qmp/query.ts';
import { PreparedQueries } from '../qmp/query.ts';
import type { Balloon, Cpu, GuestStats, Status } from '../qmp/replies.ts';
import { queryBalloon, queryCpus, queryGuestStats, queryStatus } from '../qmp/replies.ts';
import { queryMemoryDevices, queryMemorySize } from '../qmp/memory.ts';
import type { DiskReading } from './connector.ts';
import { diskCounters } from './connector.ts';

/** What is asked at every visit. */
export const basicQueries = new PreparedQueries([queryStatus, queryBlockstats, queryBalloon]);
/** Also for a stock QEMU, whose query-balloon does not tell what the guest reports, and for one that names no threads. */
export const fullQueries = new PreparedQueries([
  queryStatus,
  queryBlockstats,
  queryBalloon,
  queryGuestStats,
  queryCpus,
]);

/** Also how much memory the VM has, which changes only by a plug. */
export const memoryQueries = new PreparedQueries([
  ...fullQueries.queries,
  queryMemorySize,
  queryMemoryDevices,
]);

/** The answers to {@link basicQueries}, {@link fullQueries} or {@link memoryQueries}. */
export type QemuAnswers = readonly [
  QmpAnswer<Status>,
  QmpAnswer<readonly BlockStats[]>,
  QmpAnswer<Balloon>,
  QmpAnswer<GuestStats>?,
  QmpAnswer<readonly Cpu[]>?,
  QmpAnswer<number>?,
  QmpAnswer<number>?,
];

const DISK = /^(?:ide|sata|scsi|virtio)\d+$/;
const VIRTIO = /^\/machine\/peripheral\/(virtio\d+)\/virtio-backend$/;

/**
 * The name Proxmox VE gives the disk behind a block backend; undefined for what is no disk of the guest: firmware
 * flash, fleecing images and TPM state that a backup attaches. Machine versions before 10.0 name the backend
 * (`drive-scsi0`), later ones only the device.
 */
export function pveDiskName({ device, qdev }: BlockStats): string | undefined {
  const name = device === '' ? (VIRTIO.exec(qdev ?? '')?.[1] ?? qdev ?? '') : device.replace(/^drive-/, '');
  return DISK.test(name) ? name : undefined;
}

/**
 * The name of the disk behind a block backend of any QEMU: that of the backend, or the id of the device in the guest.
 * Undefined for what has neither, which is firmware flash or a layer of something else.
 */
export function plainDiskName({ device, qdev, nodeName }: BlockStats): string | undefined {
  if (nodeName === undefined) return undefined;
  const id = /^\/machine\/peripheral\/([^/]+)/.exec(qdev ?? '')?.[1] ?? qdev;
  const name = device === '' ? id : device.replace(/^drive-/, '');
  // QEMU names drives without an id after their interface: ide1-cd0, floppy0, pflash1.
  const noDisk = name === undefined || name.startsWith('/') || /^(?:pflash|floppy|.*-cd)\d*$/.test(name);
  return noDisk ? undefined : name;
}

/** What was counted on one backend, as a reading. */
export function diskReading(device: string, stats: BlockStats, allocation: number | undefined): DiskReading {
  const counters = new Counters(diskCounters.length);
  diskCounters.forEach((name, index) => {
    counters.set(index, stats[name]);
  });
  return allocation === undefined ? { device, counters } : { device, counters, allocation };
}
