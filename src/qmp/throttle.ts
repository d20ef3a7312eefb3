import { imageLayers } from './image-path.ts';
import type { QmpQuery } from './query.ts';
import { record } from '../base/untyped/values.ts';

/** What can be limited on a virtual disk, per second: operations and bytes, of reads and writes together or separately. */
export const limitNames = ['operations', 'reads', 'writes', 'bytes', 'readBytes', 'writeBytes'] as const;
export type LimitName = (typeof limitNames)[number];

/** A limit, and the burst that is allowed for a while, if that is more. */
export interface Limit {
  readonly base: number;
  readonly burst?: number;
}

/** The limits of a disk; what is not limited is missing. */
export type DiskLimits = { readonly [N in LimitName]?: Limit };

/** How query-block names them, `-drive` and block_set_io_throttle likewise; a burst ends in `_max`. */
const ofDevice = {
  operations: 'iops',
  reads: 'iops_rd',
  writes: 'iops_wr',
  bytes: 'bps',
  readBytes: 'bps_rd',
  writeBytes: 'bps_wr',
} as const satisfies Record<LimitName, string>;

/** How a throttle group names them; a burst ends in `-max`. */
const ofGroup = {
  operations: 'iops-total',
  reads: 'iops-read',
  writes: 'iops-write',
  bytes: 'bps-total',
  readBytes: 'bps-read',
  writeBytes: 'bps-write',
} as const satisfies Record<LimitName, string>;

/** Groups ids and paths are short; whatever is longer is none. */
const LONGEST_NAME = 255;

/**
 * Takes limits out of an object that has them by the names of `names`, with 0 for none. Both limits of a kind may be set, of all and
 * of reads or writes; QEMU refuses those.
 * @param scale what a number is multiplied by
 */
export function limitsIn(
  values: Readonly<Record<string, unknown>>,
  names: Readonly<Record<LimitName, string>>,
  burstSuffix: string,
  scale: (name: LimitName) => number = () => 1,
): DiskLimits {
  const limits: { [N in LimitName]?: Limit } = {};
  for (const name of limitNames) {
    const base = positive(values[names[name]]);
    if (base === undefined) continue;
    const burst = positive(values[`${names[name]}${burstSuffix}`]);
    const factor = scale(name);
    limits[name] = { base: base * factor, ...(burst !== undefined && { burst: burst * factor }) };
  }
  return limits;
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : undefined;
}

/** The limits that an entry `inserted` of query-block tells: those of `-drive`; a throttle node has its own. */
export function limitsOfDevice(inserted: Readonly<Record<string, unknown>>): DiskLimits {
  return limitsIn(inserted, ofDevice, '_max');
}

/** The throttle group of the topmost throttle node of an image, as `-blockdev` makes one; undefined where it has none. */
export function throttleGroupOf(filename: string): string | undefined {
  for (const layer of imageLayers(filename)) {
    const group = layer['driver'] === 'throttle' ? layer['throttle-group'] : undefined;
    if (typeof group === 'string' && group.length <= LONGEST_NAME) return group;
  }
  return undefined;
}

/**
 * The limits of a throttle group.
 *
 * Source: qom-get of `limits`, ThrottleLimits of QEMU qapi/block-core.json.
 */
export function queryLimits(group: string): QmpQuery<DiskLimits> {
  return {
    execute: 'qom-get',
    arguments: { path: `/objects/${group}`, property: 'limits' },
    read: (reply) => limitsIn(record(reply), ofGroup, '-max'),
  };
}
