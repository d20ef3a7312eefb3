import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { readOnce } from '../base/kernel-file.ts';
import type { Paths } from '../base/paths.ts';

/** A block device and the devices below it. */
export interface StackedDevice {
  /** Its name in the kernel; undefined where it is gone. */
  readonly name: string | undefined;
  /** The numbers of all disks and volumes below it, such as 8:0. */
  readonly below: ReadonlySet<string>;
}

/** More layers than any storage has: thin volume, its pool, the data of that, mirror, encryption, partition, disk. */
const DEEPEST = 16;

/**
 * The devices below a block device, by the links `slaves` of sysfs: a logical volume on its physical volumes, whichever
 * pools and mirrors are between. A partition counts as its disk, as I/O is charged to disks.
 * @param numbers its major and minor number, such as 253:3
 */
export function stackOf(paths: Paths, numbers: string): StackedDevice {
  const name = blockDeviceName(paths, numbers);
  const below = new Set<string>();
  if (name !== undefined) collect(paths, name, below, DEEPEST);
  return { name, below };
}

function collect(paths: Paths, name: string, below: Set<string>, depth: number): void {
  if (depth === 0) return;
  for (const slave of namesIn(paths.block(name, 'slaves'))) {
    const disk = diskOf(paths, slave);
    const numbers = readOnce(paths.block(disk, 'dev'));
    if (numbers === undefined || below.has(numbers)) continue;
    below.add(numbers);
    collect(paths, disk, below, depth - 1);
  }
}

/** The directory of a partition lies in that of its disk. */
function diskOf(paths: Paths, name: string): string {
  if (!existsSync(paths.block(name, 'partition'))) return name;
  try {
    return basename(dirname(readlinkSync(paths.block(name))));
  } catch {
    return name;
  }
}

/**
 * The name of a block device in the kernel; undefined where there is none with these numbers.
 * @param numbers major and minor number, such as 253:3
 */
export function blockDeviceName(paths: Paths, numbers: string): string | undefined {
  try {
    // sysfs writes a slash in a name as an exclamation mark.
    return basename(readlinkSync(paths.blockByNumber(numbers))).replaceAll('!', '/');
  } catch {
    return undefined;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
