import { imagePath } from '../../qmp/image-path.ts';
import type { Suboptions } from './qemu-options.ts';

/** A drive of the guest as the command line describes it. */
export interface QemuDrive {
  /** The name by which QEMU's answers know it too; see {@link driveName}. */
  readonly device: string;
  /** QEMU's name for the kind of device, where the command line tells it: `scsi-cd`, `virtio-blk-pci`, `floppy`. */
  readonly driver?: string;
  /** File or device of the host behind it when QEMU was started, as it was written there. */
  readonly path?: string;
}

/** Devices that are drives even if nothing is in them. */
const EMPTY_DRIVE = /^(?:(?:ide|scsi)-cd|floppy)$/;
/** The devices that QEMU makes by itself for some interfaces of -drive. */
const ownDevices: Readonly<Record<string, string>> = {
  floppy: 'floppy',
  pflash: 'cfi.pflash01',
  sd: 'sd-card',
  virtio: 'virtio-blk-pci',
};

/**
 * The name of a drive: that of its -drive, which managers begin with `drive-`; of one made with -blockdev the id of its
 * device, and where the device has none the name of the node.
 */
export function driveName(
  drive: string,
  id: string | undefined,
  node: string | undefined,
): string | undefined {
  return drive === '' ? (id ?? node) : drive.replace(/^drive-/, '');
}

/**
 * The drives that -blockdev, -drive and -device make for the guest. One whose name only QEMU knows (`-hda`, `-drive`
 * without an id) is left out, but those with `if=virtio`, and so is one that no device uses.
 */
export function drivesOf(
  blockdevs: readonly Suboptions[],
  drives: readonly Suboptions[],
  devices: readonly Suboptions[],
): QemuDrive[] {
  const nodes = new Map(blockdevs.map((node) => [node.get('node-name'), node]));
  const byId = new Map(drives.map((drive) => [drive.get('id'), drive]));
  const found: QemuDrive[] = [];
  const add = (device: string | undefined, driver: string | undefined, path: string | undefined): void => {
    if (device === undefined) return;
    found.push({ device, ...(driver !== undefined && { driver }), ...(path !== undefined && { path }) });
  };
  for (const device of devices) {
    const [driver, id, name] = [
      device.get('') ?? device.get('driver'),
      device.get('id'),
      device.get('drive'),
    ];
    if (name === undefined) {
      if (EMPTY_DRIVE.test(driver ?? '')) add(id, driver, undefined);
      continue;
    }
    const drive = byId.get(name);
    const path = drive === undefined ? pathOf(nodes.get(name), nodes) : pathOf(drive, nodes);
    add(driveName(drive === undefined ? '' : name, id, name), driver, path);
  }
  let virtio = 0;
  for (const drive of drives) {
    const kind = drive.get('if');
    if (kind === 'none') continue;
    const device = drive.get('id') ?? (kind === 'virtio' ? `virtio${virtio++}` : undefined);
    const driver = drive.get('media') === 'cdrom' && kind !== 'virtio' ? 'ide-cd' : ownDevices[kind ?? ''];
    add(
      device === undefined ? undefined : driveName(device, undefined, undefined),
      driver,
      pathOf(drive, nodes),
    );
  }
  return found;
}

/** The file at the bottom of the layers of a node; a layer may be another node, by its name. */
function pathOf(
  options: Suboptions | undefined,
  nodes: ReadonlyMap<string | undefined, Suboptions>,
): string | undefined {
  let node = options;
  let prefix = '';
  // No node can be its own layer, but a command line may say anything.
  for (let depth = 0; node !== undefined && depth <= nodes.size; depth++) {
    while (!node.has(`${prefix}file`) && !node.has(`${prefix}filename`)) {
      if (!has(node, `${prefix}file.`)) return undefined;
      prefix += 'file.';
    }
    const file: string | undefined = node.get(`${prefix}file`);
    if (file === undefined) return imagePath(node.get(`${prefix}filename`) ?? '');
    if (!nodes.has(file)) return imagePath(file);
    [node, prefix] = [nodes.get(file), ''];
  }
  return undefined;
}

function has(options: Suboptions, prefix: string): boolean {
  return [...options.keys()].some((key) => key.startsWith(prefix));
}
