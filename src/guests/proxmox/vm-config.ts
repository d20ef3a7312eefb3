import type { GuestDisk } from '../guest.ts';
import { uuidOf } from '../identity.ts';
import type { ConfigKind } from './pve-configs.ts';
import type { PveLimits } from './pve-limits.ts';
import { driveLimits, limitsOf } from './pve-limits.ts';
import { mainSection, parseSize, present, properties, storageOf } from './pve-text.ts';

/** What the configuration of a VM on a Proxmox VE node says about it. */
export interface VmConfig extends PveLimits {
  readonly name?: string;
  /** Lower-case UUID of smbios1. */
  readonly uuid?: string;
  readonly tags?: string;
  readonly lock?: string;
  /** Bytes. */
  readonly memory: number;
  readonly disks: readonly GuestDisk[];
  /** Names of the CD-ROM drives, empty or not. */
  readonly cdroms: readonly string[];
}

const MIB = 2 ** 20;
const DEFAULT_MEMORY = 512 * MIB;
const DRIVE_KEY = /^(?:ide|sata|scsi|virtio)\d+$/;

/** Parses the configuration of a VM. Keys it does not know are skipped. Source: qm.conf(5). */
export function parseVmConfig(text: string): VmConfig {
  const keys = mainSection(text);
  const uuid = uuidOf(properties(keys.get('smbios1')).get('uuid'));
  return {
    memory: memoryOf(keys.get('memory')),
    ...drivesOf(keys),
    ...limitsOf(keys),
    ...present('name', keys.get('name')),
    ...present('uuid', uuid),
    ...present('tags', keys.get('tags')),
    ...present('lock', keys.get('lock')),
  };
}

/** The configurations of VMs. */
export const vmConfigs: ConfigKind<VmConfig> = { folder: 'qemu-server', guests: 'VMs', parse: parseVmConfig };

function memoryOf(value: string | undefined): number {
  const parts = properties(value);
  const mebibytes = Number.parseInt(parts.get('current') ?? parts.get('') ?? '', 10);
  return Number.isFinite(mebibytes) ? mebibytes * MIB : DEFAULT_MEMORY;
}

function drivesOf(keys: ReadonlyMap<string, string>): Pick<VmConfig, 'disks' | 'cdroms'> {
  const disks: GuestDisk[] = [];
  const cdroms: string[] = [];
  for (const [key, value] of keys) {
    // An old name of the second IDE drive.
    const device = key === 'cdrom' ? 'ide2' : key;
    if (!isDriveKey(device)) continue;
    const parts = properties(value);
    // `volume` is an older name of `file`.
    const volume = parts.get('file') ?? parts.get('volume') ?? parts.get('') ?? '';
    if (key === 'cdrom' || parts.get('media') === 'cdrom' || volume === 'none' || volume === 'cdrom') {
      cdroms.push(device);
      continue;
    }
    const capacity = parseSize(parts.get('size'));
    const limits = driveLimits(parts);
    disks.push({
      device,
      ...(capacity !== undefined && { capacity }),
      ...present('storage', storageOf(volume)),
      ...(Object.keys(limits).length > 0 && { limits }),
    });
  }
  return { disks, cdroms };
}

/** Whether the configuration has drives of this name. */
export function isDriveKey(name: string): boolean {
  return DRIVE_KEY.test(name);
}
