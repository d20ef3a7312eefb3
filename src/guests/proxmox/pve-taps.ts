import { readdirSync } from 'node:fs';
import { isShortage } from '../../kernel/base/open-files.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { GuestNic } from '../sources.ts';

/** Proxmox VE names the tap of `net<n>` of VM `<vmid>`: tap<vmid>i<n>. */
const TAP = /^tap([1-9]\d*)i(\d+)$/;

/** And the veth on the host that leads to `net<n>` of a container; one with a `p` behind is its other end for a moment. */
const VETH = /^veth([1-9]\d*)i(\d+)$/;

/** The end of a NIC `net<number>` of a guest on the host. */
export interface PveNic extends GuestNic {
  readonly number: number;
}

/** The names of all interfaces that exist now; undefined when no descriptor was left to look. */
export function interfaceNames(paths: Paths): readonly string[] | undefined {
  return namesIn(paths.net(''));
}

/** The taps among interfaces, by vmid, in the order of the VM's NICs. */
export function tapsAmong(interfaces: readonly string[]): Map<string, PveNic[]> {
  return nicsAmong(interfaces, TAP);
}

/** The same of the veths of containers that exist now; undefined when no descriptor was left to look. */
export function listVeths(paths: Paths): Map<string, PveNic[]> | undefined {
  const interfaces = interfaceNames(paths);
  return interfaces && nicsAmong(interfaces, VETH);
}

function nicsAmong(interfaces: readonly string[], pattern: RegExp): Map<string, PveNic[]> {
  const guests = new Map<string, PveNic[]>();
  for (const device of interfaces) {
    const match = pattern.exec(device);
    if (match === null) continue;
    const [, vmid = '', number] = match;
    const nics = guests.get(vmid) ?? [];
    nics.push({ device, end: 'host', number: Number(number) });
    guests.set(vmid, nics);
  }
  for (const nics of guests.values()) nics.sort((a, b) => a.number - b.number);
  return guests;
}

function namesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory);
  } catch (error) {
    return isShortage(error) ? undefined : [];
  }
}
