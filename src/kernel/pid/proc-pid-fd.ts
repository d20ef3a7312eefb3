import { constants, readdirSync, readlinkSync, statSync } from 'node:fs';
import { readOnce } from '../base/kernel-file.ts';
import { isShortage, refusedOpens } from '../base/open-files.ts';
import type { Paths } from '../base/paths.ts';
import { tunDevice } from '../base/paths.ts';

const SOCKET = /^socket:\[(\d+)\]$/;
const INTERFACE = /^iff:\s*(\S+)$/m;

/**
 * The names of the taps that a process holds open, however it got them: the link of such a descriptor is the tun device,
 * and its fdinfo has a line `iff: tap0` (drivers/net/tun.c). Sorted; empty without the right to see its descriptors,
 * undefined when we have none left to look.
 */
export function openTaps(paths: Paths, pid: number): string[] | undefined {
  const refused = refusedOpens();
  const taps = new Set<string>();
  for (const fd of descriptors(paths, pid)) {
    if (linkOf(paths.pid(pid, `fd/${fd}`)) !== tunDevice) continue;
    const tap = INTERFACE.exec(readOnce(paths.pid(pid, `fdinfo/${fd}`)) ?? '')?.[1];
    if (tap !== undefined) taps.add(tap);
  }
  return refusedOpens() === refused ? [...taps].sort() : undefined;
}

/** The inodes of the sockets that a process holds, in decimal; undefined when its descriptors may not be looked at. */
export function openSockets(paths: Paths, pid: number): Set<string> | undefined {
  const links = descriptors(paths, pid).map((fd) => linkOf(paths.pid(pid, `fd/${fd}`)));
  if (links.every((link) => link === undefined)) return undefined;
  return new Set(links.flatMap((link) => SOCKET.exec(link ?? '')?.[1] ?? []));
}

/** A file or device that a process holds open. */
export interface OpenFile {
  /** Its path as the kernel tells it, without links; `path (deleted)` of one that was removed. */
  readonly path: string;
  /** Number of the descriptor. */
  readonly fd: string;
  /** Whether reads and writes pass by the page cache (O_DIRECT). */
  readonly direct: boolean;
  /** The mount it lies on: {@link Mount.id}. */
  readonly mount: number;
}

const FLAGS = /^flags:\s*0([0-7]+)$/m;
const MOUNT = /^mnt_id:\s*(\d+)$/m;
const OCTAL = 8;

/**
 * The files and devices with a path that a process holds open and that `wanted` takes. Only procfs is read: a file system
 * that hangs is not touched.
 * @returns empty when the descriptors may not be looked at, undefined when we have none left to look
 */
export function openFiles(
  paths: Paths,
  pid: number,
  wanted: (path: string) => boolean,
): OpenFile[] | undefined {
  const refused = refusedOpens();
  const files = descriptors(paths, pid).flatMap((fd): OpenFile[] => {
    const path = linkOf(paths.pid(pid, `fd/${fd}`));
    if (path?.startsWith('/') !== true || !wanted(path)) return [];
    const info = readOnce(paths.pid(pid, `fdinfo/${fd}`)) ?? '';
    const [flags, mount] = [FLAGS.exec(info)?.[1], MOUNT.exec(info)?.[1]];
    if (flags === undefined || mount === undefined) return [];
    const direct = (Number.parseInt(flags, OCTAL) & constants.O_DIRECT) !== 0;
    return [{ path, fd, direct, mount: Number(mount) }];
  });
  return refusedOpens() === refused ? files : undefined;
}

/**
 * Major and minor number, such as 253:4, of the block device that a descriptor is open for; undefined where it is none.
 * Asks the file system on which the device file lies.
 */
export function openBlockDevice(paths: Paths, pid: number, fd: string): string | undefined {
  try {
    const stats = statSync(paths.pid(pid, `fd/${fd}`));
    return stats.isBlockDevice() ? numbersOf(stats.rdev) : undefined;
  } catch (error) {
    isShortage(error);
    return undefined;
  }
}

/** Splits a device number as glibc composes it (makedev(3)), with the 12 and 20 bits of the kernel. */
function numbersOf(device: number): string {
  return `${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xfff00)}`;
}

function descriptors(paths: Paths, pid: number): string[] {
  try {
    return readdirSync(paths.pid(pid, 'fd'));
  } catch (error) {
    isShortage(error);
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
