import type { GuestDisk } from '../guest.ts';
import type { ConfigKind } from './pve-configs.ts';
import type { NicRates } from './pve-limits.ts';
import { ratesOf } from './pve-limits.ts';
import { mainSection, parseSize, present, properties, storageOf } from './pve-text.ts';

/** A volume of a container: its root, or what is mounted below. */
export interface ContainerVolume extends GuestDisk {
  /** Where it is mounted, as the container sees it. */
  readonly mountPoint: string;
}

/** What the configuration of a container on a Proxmox VE node says about it. What it may use of CPUs and memory its cgroup tells. */
export interface ContainerConfig {
  readonly name?: string;
  readonly tags?: string;
  readonly lock?: string;
  /** rootfs first, then mp0, mp1, ... by their numbers. */
  readonly volumes: readonly ContainerVolume[];
  readonly rates: NicRates;
}

/** Proxmox VE takes mp0 to mp255. */
const VOLUME_KEY = /^(?:rootfs|mp(\d{1,3}))$/;

/**
 * Parses `nodes/<node>/lxc/<vmid>.conf`: lines `key: value` up to the first `[`, where pending changes and snapshots begin,
 * and among them lines for LXC itself, `lxc.<key>` with `:` or `=`. Keys it does not know are skipped, as Proxmox VE adds
 * new ones with each release. Source: pct.conf(5).
 */
export function parseContainerConfig(text: string): ContainerConfig {
  const keys = mainSection(text);
  const volumes: { readonly number: number; readonly volume: ContainerVolume }[] = [];
  for (const [key, value] of keys) {
    const match = VOLUME_KEY.exec(key);
    if (match === null) continue;
    const volume = volumeOf(key, value);
    if (volume !== undefined) volumes.push({ number: Number(match[1] ?? -1), volume });
  }
  volumes.sort((a, b) => a.number - b.number);
  return {
    volumes: volumes.map(({ volume }) => volume),
    rates: ratesOf(keys),
    // Proxmox VE takes blanks out of it too.
    ...present('name', keys.get('hostname')?.replaceAll(/\s/g, '')),
    ...present('tags', keys.get('tags')),
    ...present('lock', keys.get('lock')),
  };
}

/** The configurations of containers. */
export const containerConfigs: ConfigKind<ContainerConfig> = {
  folder: 'lxc',
  guests: 'containers',
  parse: parseContainerConfig,
};

/** A path without slashes at its end, but for `/` itself. A regular expression would take quadratic time. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

/** `STORAGE:VOLUME,mp=PATH,size=8G`, or a directory or device of the host in place of a volume; the root has no `mp`. */
function volumeOf(device: string, value: string): ContainerVolume | undefined {
  const parts = properties(value);
  const source = parts.get('volume') ?? parts.get('') ?? '';
  const mountPoint = device === 'rootfs' ? '/' : parts.get('mp');
  if (source === '' || mountPoint?.startsWith('/') !== true) return undefined;
  const capacity = parseSize(parts.get('size'));
  return {
    device,
    // The list of mounts has them without.
    mountPoint: withoutSlashes(mountPoint),
    ...(capacity !== undefined && { capacity }),
    ...present('storage', storageOf(source)),
  };
}
