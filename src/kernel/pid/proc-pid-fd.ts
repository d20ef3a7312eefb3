import { readdirSync, readlinkSync } from 'node:fs';
import { readOnce } from '../base/kernel-file.ts';
import { isShortage, refusedOpens } from '../base/open-files.ts';
import type { Paths } from '../base/paths.ts';
import { tunDevice } from '../base/paths.ts';

const SOCKET = /^socket:\[(\d+)\]$/;
const INTERFACE = /^iff:\s*(\S+)$/m;

/**
 * The names of the taps that a process holds open, however it came by them: the link of such a descriptor is the tun
 * device, and its fdinfo has a line `iff: tap0` (drivers/net/tun.c). Sorted; empty when the descriptors may not be
 * looked at, undefined when we have none left to look.
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
