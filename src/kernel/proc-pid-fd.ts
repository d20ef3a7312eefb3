import { readdirSync, readlinkSync } from 'node:fs';
import { readOnce } from './kernel-file.ts';
import type { Paths } from './paths.ts';
import { tunDevice } from './paths.ts';

const INTERFACE = /^iff:\s*(\S+)$/m;

/**
 * The names of the taps that a process holds open, however it came by them: the link of such a descriptor is the tun
 * device, and its fdinfo has a line `iff: tap0` (drivers/net/tun.c). Sorted; empty when the descriptors may not be
 * looked at.
 */
export function openTaps(paths: Paths, pid: number): string[] {
  const taps = new Set<string>();
  for (const fd of descriptors(paths, pid)) {
    if (linkOf(paths.pid(pid, `fd/${fd}`)) !== tunDevice) continue;
    const tap = INTERFACE.exec(readOnce(paths.pid(pid, `fdinfo/${fd}`)) ?? '')?.[1];
    if (tap !== undefined) taps.add(tap);
  }
  return [...taps].sort();
}

function descriptors(paths: Paths, pid: number): string[] {
  try {
    return readdirSync(paths.pid(pid, 'fd'));
  } catch {
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
