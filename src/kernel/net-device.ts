import { existsSync } from 'node:fs';
import { readOnce } from './kernel-file.ts';
import { parseNumber } from './number-file.ts';
import type { Paths } from './paths.ts';

/** SPEED_UNKNOWN, -1, as kernels that print it unsigned write it. */
const UNKNOWN = 2 ** 32 - 1;

/** Whether there is hardware behind a network device: not for bridges, bonds, taps, VLANs and the loopback. */
export function isPhysicalNic(paths: Paths, device: string): boolean {
  return existsSync(paths.net(device, 'device'));
}

/** The speed of the link in megabit per second; NaN when it is down or the driver does not tell. */
export function nicSpeed(paths: Paths, device: string): number {
  const speed = parseNumber(readOnce(paths.net(device, 'speed')));
  return speed > 0 && speed < UNKNOWN ? speed : NaN;
}
