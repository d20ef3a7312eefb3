import { imagePath } from './image-path.ts';
import type { QmpQuery } from './query.ts';
import type { DiskLimits } from './throttle.ts';
import { limitsOfDevice, throttleGroupOf } from './throttle.ts';
import { MOST_BACKENDS } from './blockstats.ts';
import { list, record, shortText } from '../base/untyped/values.ts';

/** Bytes of the longest path (linux/limits.h). */
const PATH_MAX = 4096;

/** What QEMU reports about a block backend besides its counters; of an empty drive only that it is one. */
export interface BlockDevice {
  /** Names as in {@link BlockStats}. */
  readonly device: string;
  readonly qdev?: string;
  readonly nodeName?: string;
  /** Whether the guest can have another medium put in: CD-ROM, floppy, SD card, and USB sticks made so. */
  readonly removable: boolean;
  /** Bytes that the guest sees. */
  readonly capacity?: number;
  /** Bytes that the topmost image takes up; 0 also for a device, which QEMU treats like an empty file. */
  readonly occupied?: number;
  /** File or device of the host behind it, as QEMU names it: it may be relative to the directory QEMU was started in. */
  readonly path?: string;
  /** Limits of the drive itself; if it has a throttle node those of its group, once QEMU was asked for them. */
  readonly limits?: DiskLimits;
  /** The group of its throttle node. */
  readonly throttleGroup?: string;
}

/**
 * The media behind the block backends. QEMU looks at every image file for it, in the thread that serves the guest: if the
 * storage hangs, the guest stops.
 *
 * Source: query-block, QEMU qapi/block-core.json.
 */
export const queryBlock: QmpQuery<readonly BlockDevice[]> = {
  execute: 'query-block',
  most: MOST_BACKENDS,
  read: (reply) => list(reply).map(readDevice),
};

function readDevice(entry: unknown): BlockDevice {
  const backend = record(entry);
  const qdev = shortText(backend['qdev']);
  const inserted = record(backend['inserted']);
  const nodeName = shortText(inserted['node-name']);
  const { filename, 'virtual-size': capacity, 'actual-size': occupied } = record(inserted['image']);
  const path = isName(filename) ? imagePath(filename) : undefined;
  const throttleGroup = isName(filename) ? throttleGroupOf(filename) : undefined;
  return {
    device: shortText(backend['device']) ?? '',
    ...(qdev !== undefined && { qdev }),
    ...(nodeName !== undefined && { nodeName }),
    removable: backend['removable'] === true,
    ...(isSize(capacity) && { capacity }),
    ...(isSize(occupied) && { occupied }),
    ...(path !== undefined && { path }),
    ...(nodeName !== undefined && { limits: limitsOfDevice(inserted) }),
    ...(throttleGroup !== undefined && { throttleGroup }),
  };
}

/** What QEMU gives for a file: it cuts off what is longer than PATH_MAX. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= PATH_MAX;
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/**
 * The type of a device of the guest, such as `scsi-cd` or `virtio-blk-device`.
 *
 * Source: qom-get of `type`, QEMU qapi/qom.json.
 * @param qdev its id or QOM path
 */
export function queryType(qdev: string): QmpQuery<string | undefined> {
  const path = qdev.startsWith('/') ? qdev : `/machine/peripheral/${qdev}`;
  return {
    execute: 'qom-get',
    arguments: { path, property: 'type' },
    read: shortText,
  };
}
