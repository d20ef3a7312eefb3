import { existsSync } from 'node:fs';
import { readOnce } from '../base/kernel-file.ts';
import { parseNumber } from '../base/number-file.ts';
import type { Paths } from '../base/paths.ts';

/** SPEED_UNKNOWN, -1, as kernels that print it unsigned write it. */
const UNKNOWN = 2 ** 32 - 1;

/** Ports of a switch in a NIC that lead to one of its functions: c1pf0vf2, pf0sf88 (devlink-port.rst). Its own are p0, p1s2. */
const representor = /^(c\d+)?pf\d+((vf|sf)\d+)?$/;

/**
 * Whether a network device is a port of the host's hardware: not a bridge, bond, tap, VLAN or the loopback, and nothing
 * whose traffic goes through such a port, which counts it: a virtual function (SR-IOV), a subfunction or the representor
 * of one of them.
 */
export function isPhysicalNic(paths: Paths, device: string): boolean {
  const has = (file: string): boolean => existsSync(paths.net(device, file));
  if (!has('device') || has('device/physfn') || has('device/sfnum')) return false;
  return !representor.test(readOnce(paths.net(device, 'phys_port_name')) ?? '');
}

/** The number that the kernel gives to each network device, whatever it is called; NaN when there is none of that name. */
export function nicIndex(paths: Paths, device: string): number {
  return parseNumber(readOnce(paths.net(device, 'ifindex')));
}

/** The speed of the link in megabit per second; NaN when it is down or the driver does not tell. */
export function nicSpeed(paths: Paths, device: string): number {
  const speed = parseNumber(readOnce(paths.net(device, 'speed')));
  return speed > 0 && speed < UNKNOWN ? speed : NaN;
}
