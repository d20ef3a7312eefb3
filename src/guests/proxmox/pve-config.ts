import { dirname } from 'node:path';
import type { GuestDisk } from '../guest.ts';
import { uuidOf } from '../identity.ts';

/** What the configuration of a VM on a Proxmox VE node says about it. */
export interface PveConfig {
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
const SIZE = /^(\d+(?:\.\d+)?)([KMGT]?)(?:iB)?$/;
const sizeUnits: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: MIB, G: 2 ** 30, T: 2 ** 40 };

/**
 * Parses `nodes/<node>/qemu-server/<vmid>.conf`: lines `key: value` up to the first `[`, where pending changes and
 * snapshots begin. Keys it does not know are skipped, as Proxmox VE adds new ones with each release.
 * Source: qm.conf(5).
 */
export function parsePveConfig(text: string): PveConfig {
  const keys = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) break;
    const colon = line.indexOf(':');
    if (line.startsWith('#') || colon < 1) continue;
    keys.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const uuid = uuidOf(properties(keys.get('smbios1')).get('uuid'));
  return {
    memory: memoryOf(keys.get('memory')),
    ...drivesOf(keys),
    ...present('name', keys.get('name')),
    ...present('uuid', uuid),
    ...present('tags', keys.get('tags')),
    ...present('lock', keys.get('lock')),
  };
}

function present<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined || value === '' ? {} : ({ [key]: value } as { readonly [P in K]?: string });
}

/** A property string: `k=v` separated by commas; a bare value belongs to the default key, here ''. */
function properties(value = ''): Map<string, string> {
  const result = new Map<string, string>();
  for (const part of value.split(',')) {
    const equals = part.indexOf('=');
    if (equals < 0) result.set('', part);
    else result.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return result;
}

function memoryOf(value: string | undefined): number {
  const parts = properties(value);
  const mebibytes = Number.parseInt(parts.get('current') ?? parts.get('') ?? '', 10);
  return Number.isFinite(mebibytes) ? mebibytes * MIB : DEFAULT_MEMORY;
}

function drivesOf(keys: ReadonlyMap<string, string>): Pick<PveConfig, 'disks' | 'cdroms'> {
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
    disks.push({
      device,
      ...(capacity !== undefined && { capacity }),
      ...present('storage', storageOf(volume)),
    });
  }
  return { disks, cdroms };
}

/** Whether the configuration has drives of this name. */
export function isDriveKey(name: string): boolean {
  return DRIVE_KEY.test(name);
}

/** `STORAGE:VOLUME`, or the path of a device or file, which lies in no storage but a directory. */
function storageOf(volume: string): string {
  return volume.startsWith('/') ? dirname(volume) : volume.slice(0, Math.max(0, volume.indexOf(':')));
}

/** `32G`, `4M`, `528K`, `1.5TiB` in bytes; undefined for anything else. */
function parseSize(size: string | undefined): number | undefined {
  const match = SIZE.exec(size ?? '');
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (sizeUnits[match[2] ?? ''] ?? NaN));
}
