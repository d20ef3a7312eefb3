import type { VmNic } from './connector.ts';

/** What of a domain only its XML tells, or tells without cost: the file is read anew only when a device comes or goes. */
export interface DomainDevices {
  /** Targets of the CD-ROM and floppy drives. */
  readonly removable: ReadonlySet<string>;
  /** The interfaces that the host sees. */
  readonly nics: readonly VmNic[];
  /** Whether its memory is huge pages, which libvirt does not count as resident. */
  readonly hugePages: boolean;
}

/**
 * Reads the XML of a running domain (https://libvirt.org/formatdomain.html). libvirt writes the devices itself, each
 * element and attribute always in the same form, so that they need not be parsed in full; what users wrote (title,
 * metadata) stands before them.
 */
export function readDevices(xml: string): DomainDevices {
  const begin = Math.max(0, xml.lastIndexOf('<devices>'));
  const devices = xml.slice(begin);
  const removable = new Set<string>();
  for (const [disk] of devices.matchAll(/<disk [^>]*device='(?:cdrom|floppy)'[^>]*>.*?<\/disk>/gs)) {
    const device = target(disk);
    if (device !== undefined) removable.add(device);
  }
  const nics: VmNic[] = [];
  for (const [nic] of devices.matchAll(/<interface .*?<\/interface>/gs)) {
    const device = target(nic);
    if (device === undefined) continue;
    nics.push(nic.startsWith("<interface type='direct'") ? { device, macvtap: true } : { device });
  }
  return { removable, nics, hugePages: /<hugepages[/>]/.test(xml.slice(0, begin)) };
}

/** The `<target dev=.../>` of an element. */
function target(element: string): string | undefined {
  return /<target dev='([^']+)'/.exec(element)?.[1];
}
