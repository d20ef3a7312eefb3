import type { DiskLimits, LimitName } from '../../qmp/throttle.ts';
import { limitsIn } from '../../qmp/throttle.ts';
import type { GuestNic, NicLimit } from '../sources.ts';

/** How `<iotune>` names the limits of a disk; a burst ends in `_max`. */
const diskLimits = {
  operations: 'total_iops_sec',
  reads: 'read_iops_sec',
  writes: 'write_iops_sec',
  bytes: 'total_bytes_sec',
  readBytes: 'read_bytes_sec',
  writeBytes: 'write_bytes_sec',
} as const satisfies Record<LimitName, string>;
/** `<bandwidth>` counts in units of tc(8)'s kbps, thousands of bytes a second. */
const NIC_UNIT = 1000;
/** Default period of a quota in us. */
const PERIOD = 100_000;

/** What only the XML of a domain has, or has at no cost: it is read again only when a device comes or goes. */
export interface DomainDevices {
  /** Targets of the CD-ROM and floppy drives. */
  readonly removable: ReadonlySet<string>;
  /** The interfaces that the host sees. */
  readonly nics: readonly GuestNic[];
  /** What disks are limited to, by their targets; limits that several disks share are missing. */
  readonly diskLimits: ReadonlyMap<string, DiskLimits>;
  readonly cpu: CpuTuning;
  /** Whether its memory is huge pages, which libvirt does not count as resident. */
  readonly hugePages: boolean;
  /** Whether the guest is asked again and again what memory it uses. */
  readonly balloonStats: boolean;
}

/** What a domain may use of the CPUs; missing where there is no limit. */
export interface CpuTuning {
  /** CPUs of the host that it may use in all. */
  readonly limit?: number;
  /** CPUs of the host that each of its vCPUs may use, such as 0.5. */
  readonly vcpuLimit?: number;
  readonly weight?: number;
}

/** Characters of the largest XML that is read; one of a domain with 200 devices has 100 kB. */
export const LARGEST_XML = 1 << 20;

/**
 * Reads the XML of a running domain (https://libvirt.org/formatdomain.html). libvirt writes the devices itself, each
 * element and attribute always in the same form, so that they need not be parsed in full; what users wrote (title,
 * metadata) stands before them, and before the other elements that are read. Each character is read a few times at most,
 * whatever the content.
 */
export function readDevices(xml: string): DomainDevices {
  const begin = Math.max(0, xml.lastIndexOf('<devices>'));
  const devices = xml.slice(begin);
  const head = xml.slice(Math.max(0, xml.lastIndexOf('</metadata>', begin)), begin);
  const removable = new Set<string>();
  const limited: LimitedDisk[] = [];
  for (const disk of elements(devices, 'disk')) {
    const device = target(disk);
    if (device === undefined) continue;
    if (/ device='(?:cdrom|floppy)'/.test(tag(disk))) removable.add(device);
    else limited.push({ device, ...tuningOf(disk) });
  }
  const nics: GuestNic[] = [];
  for (const nic of elements(devices, 'interface')) {
    const device = target(nic);
    if (device === undefined) continue;
    // The host counts for a macvtap what the VM does, for a tap what it does itself.
    const isMacvtap = tag(nic).startsWith("<interface type='direct'");
    const limit = bandwidthOf(nic);
    nics.push({ device, end: isMacvtap ? 'guest' : 'host', ...(limit !== undefined && { limit }) });
  }
  return {
    removable,
    nics,
    diskLimits: ownLimits(limited),
    cpu: cpuTuning(inside(head, 'cputune')),
    hugePages: /<hugepages[/>]/.test(head),
    balloonStats: devices.includes("<stats period='"),
  };
}

/** The limits of a disk, and the group of disks that share them, where there is one. */
interface LimitedDisk {
  readonly device: string;
  readonly limits: DiskLimits;
  readonly group: string | undefined;
}

function tuningOf(disk: string): Omit<LimitedDisk, 'device'> {
  const values: Record<string, number> = {};
  const iotune = inside(disk, 'iotune');
  for (const [, name = '', number] of iotune.matchAll(/<(\w+)>(\d+)</g)) values[name] = Number(number);
  return { limits: limitsIn(values, diskLimits, '_max'), group: /<group_name>([^<]*)</.exec(iotune)?.[1] };
}

/** If several disks share a limit, it is not known how close one of them is to it. */
function ownLimits(disks: readonly LimitedDisk[]): Map<string, DiskLimits> {
  const isShared = ({ device, group }: LimitedDisk): boolean =>
    group !== undefined && disks.some((other) => other.group === group && other.device !== device);
  return new Map(disks.filter((disk) => !isShared(disk)).map(({ device, limits }) => [device, limits]));
}

/** `<bandwidth>` of an interface, which has the directions of the domain. */
function bandwidthOf(nic: string): NicLimit | undefined {
  const bandwidth = inside(nic, 'bandwidth');
  const average = (direction: string): number | undefined => {
    const found = new RegExp(`<${direction} [^>]*average='(\\d+)'`).exec(bandwidth)?.[1];
    return found === undefined || Number(found) === 0 ? undefined : Number(found) * NIC_UNIT;
  };
  const [received, sent] = [average('inbound'), average('outbound')];
  return received === undefined && sent === undefined ? undefined : { received, sent };
}

function cpuTuning(cputune: string): CpuTuning {
  const number = (name: string): number => Number(inside(cputune, name));
  const share = (prefix: string): number => number(`${prefix}quota`) / (number(`${prefix}period`) || PERIOD);
  return {
    ...positive('limit', share('global_')),
    ...positive('vcpuLimit', share('')),
    ...positive('weight', number('shares')),
  };
}

function positive<K extends string>(key: K, value: number): { readonly [P in K]?: number } {
  return value > 0 ? ({ [key]: value } as { readonly [P in K]?: number }) : {};
}

/** What stands in the first element of a name that has no attributes; '' where there is none. */
function inside(xml: string, name: string): string {
  const opening = `<${name}>`;
  const begin = xml.indexOf(opening);
  const end = begin < 0 ? -1 : xml.indexOf(`</${name}>`, begin);
  return end < 0 ? '' : xml.slice(begin + opening.length, end);
}

/** The elements of a name, each from its opening tag, which has attributes, to the closing one. */
function* elements(xml: string, name: string): Generator<string> {
  const [opening, closing] = [`<${name} `, `</${name}>`];
  for (let from = xml.indexOf(opening); from >= 0; from = xml.indexOf(opening, from)) {
    const end = xml.indexOf(closing, from);
    if (end < 0) return;
    yield xml.slice(from, end);
    from = end;
  }
}

/** The opening tag of an element. */
function tag(element: string): string {
  return element.slice(0, element.indexOf('>') + 1);
}

/** The `<target dev=.../>` of an element. */
function target(element: string): string | undefined {
  return /<target dev='([^']+)'/.exec(element)?.[1];
}
