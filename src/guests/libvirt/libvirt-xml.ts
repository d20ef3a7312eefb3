import type { GuestNic } from '../sources.ts';

/** What of a domain only its XML tells, or tells without cost: the file is read anew only when a device comes or goes. */
export interface DomainDevices {
  /** Targets of the CD-ROM and floppy drives. */
  readonly removable: ReadonlySet<string>;
  /** The interfaces that the host sees. */
  readonly nics: readonly GuestNic[];
  /** Whether its memory is huge pages, which libvirt does not count as resident. */
  readonly hugePages: boolean;
  /** Whether the guest is asked again and again what memory it uses. */
  readonly balloonStats: boolean;
}

/** Characters of the largest XML that is read; one of a domain with 200 devices has 100 kB. */
export const LARGEST_XML = 1 << 20;

/**
 * Reads the XML of a running domain (https://libvirt.org/formatdomain.html). libvirt writes the devices itself, each
 * element and attribute always in the same form, so that they need not be parsed in full; what users wrote (title,
 * metadata) stands before them. Each character is looked at a few times at most, whatever stands there.
 */
export function readDevices(xml: string): DomainDevices {
  const begin = Math.max(0, xml.lastIndexOf('<devices>'));
  const devices = xml.slice(begin);
  const removable = new Set<string>();
  for (const disk of elements(devices, 'disk')) {
    if (!/ device='(?:cdrom|floppy)'/.test(tag(disk))) continue;
    const device = target(disk);
    if (device !== undefined) removable.add(device);
  }
  const nics: GuestNic[] = [];
  for (const nic of elements(devices, 'interface')) {
    const device = target(nic);
    if (device === undefined) continue;
    // The host counts for a macvtap what the VM does, for a tap what it does itself.
    const isMacvtap = tag(nic).startsWith("<interface type='direct'");
    nics.push({ device, end: isMacvtap ? 'guest' : 'host' });
  }
  return {
    removable,
    nics,
    hugePages: /<hugepages[/>]/.test(xml.slice(0, begin)),
    balloonStats: devices.includes("<stats period='"),
  };
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
