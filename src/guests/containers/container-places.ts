import { existsSync, readdirSync } from 'node:fs';
import { isShortage } from '../../kernel/base/open-files.ts';
import type { Paths } from '../../kernel/base/paths.ts';

/** Where the cgroups of one container are. The tenant makes those below: they are neither walked nor named. */
export interface ContainerPlace {
  /** Whose layout it is: of Proxmox VE, of plain LXC and Incus, of systemd-nspawn. */
  readonly layout: 'proxmox' | 'lxc' | 'nspawn';
  /** The vmid with Proxmox VE. */
  readonly name: string;
  /** The cgroup that has its limits and counters, from the root of the hierarchy. */
  readonly group: string;
  /** That of the process that started it and waits for its end. */
  readonly monitor: string;
}

const VMID = /^[1-9]\d{2,8}$/;
/** DEFAULT_PAYLOAD_CGROUP_PREFIX of LXC (cgroup.h). */
const PAYLOAD = 'lxc.payload.';
/** How systemd names the unit of a machine, without that of libvirt's domains. */
const MACHINE = /^(?:machine-(?!qemu\\x2d|lxc\\x2d)(.+)\.scope|systemd-nspawn@(.+)\.service)$/;
const MACHINES = '/machine.slice';

/**
 * The places of containers, running or not: a cgroup can stay when its container has ended. No time stamp tells that a cgroup
 * was made or removed, so the directories are listed. Undefined when no descriptor was left to look.
 */
export function listContainers(paths: Paths): ContainerPlace[] | undefined {
  const names = namesIn(paths, '/');
  const ofProxmox = names?.includes('lxc') === true ? namesIn(paths, '/lxc') : [];
  const machines = names?.includes(MACHINES.slice(1)) === true ? namesIn(paths, MACHINES) : [];
  if (names === undefined || ofProxmox === undefined || machines === undefined) return undefined;
  return [
    ...ofProxmox.filter((name) => VMID.test(name)).map(proxmoxPlace),
    ...names.filter((name) => name.startsWith(PAYLOAD)).map((name) => lxcPlace(name.slice(PAYLOAD.length))),
    ...machines.flatMap((unit) => nspawnPlace(paths, unit) ?? []),
  ];
}

function proxmoxPlace(vmid: string): ContainerPlace {
  return { layout: 'proxmox', name: vmid, group: `/lxc/${vmid}`, monitor: `/lxc.monitor/${vmid}` };
}

function lxcPlace(name: string): ContainerPlace {
  return { layout: 'lxc', name, group: `/${PAYLOAD}${name}`, monitor: `/lxc.monitor.${name}` };
}

/** systemd-nspawn keeps itself in `supervisor` and its container in `payload`, which tells it from other machines. */
function nspawnPlace(paths: Paths, unit: string): ContainerPlace | undefined {
  const [, ofScope, ofService] = MACHINE.exec(unit) ?? [];
  const escaped = ofScope ?? ofService;
  const group = `${MACHINES}/${unit}`;
  if (escaped === undefined || !existsSync(paths.cgroup(group, 'payload'))) return undefined;
  return { layout: 'nspawn', name: unescape(escaped), group, monitor: `${group}/supervisor` };
}

/** Undoes the escapes of systemd's unit names, such as `\x2d` (systemd-escape(1)). */
function unescape(name: string): string {
  const bytes = name.replaceAll(/\\x([\da-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return bytes === name ? name : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** None where there is no such cgroup. */
function namesIn(paths: Paths, group: string): string[] | undefined {
  try {
    return readdirSync(paths.cgroup(group, ''));
  } catch (error) {
    return isShortage(error) ? undefined : [];
  }
}
