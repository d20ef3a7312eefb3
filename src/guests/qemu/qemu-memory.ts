/** The members of one -object or -device; '' is its type. */
type Members = ReadonlyMap<string, string>;

const MIB = 2 ** 20;
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  K: 2 ** 10,
  M: MIB,
  G: 2 ** 30,
  T: 2 ** 40,
};

/**
 * The memory a VM starts with: the size of -m and of the DIMMs that are plugged from the start. What a virtio-mem device
 * adds is up to the guest, and an NVDIMM is a disk.
 * @param size of -m, in MiB where it has no unit; undefined where there is none
 * @param objects the members of each -object
 * @param devices the members of each -device
 * @returns bytes; undefined where a size is not given in numbers we understand
 */
export function startMemory(
  size: string | undefined,
  objects: readonly Members[],
  devices: readonly Members[],
): number | undefined {
  const backends = new Map(objects.map((object) => [object.get('id'), object.get('size')]));
  const dimms = devices.filter((device) => typeOf(device, 'driver') === 'pc-dimm');
  const sizes = [sizeOf(size, MIB), ...dimms.map((dimm) => sizeOf(backends.get(dimm.get('memdev')), 1))];
  const total = sizes.reduce((sum, each) => sum + each, 0);
  return Number.isNaN(total) ? undefined : total;
}

/** Where the memory of a guest is. */
export interface MemoryPlaces {
  /** Whether it is shared with other processes and can be swapped out. */
  readonly shared: boolean;
  /**
   * Whether QEMU was told to spread it: over NUMA nodes of the guest, which knows itself what is near to which vCPU, or evenly
   * over those of the host.
   */
  readonly spread: boolean;
}

/**
 * @param objects the members of each -object
 * @param nodes the members of each -numa
 */
export function memoryPlaces(objects: readonly Members[], nodes: readonly Members[]): MemoryPlaces {
  const own = nodes.filter((node) => typeOf(node, 'type') === 'node');
  const isInterleaved = objects.some((object) => isMemory(object) && object.get('policy') === 'interleave');
  return { shared: sharesMemory(objects), spread: own.length > 1 || isInterleaved };
}

/**
 * Whether memory of the guest is a mapping that other processes share (virtiofsd, a vhost-user switch). The kernel does
 * not count what it swaps out of such a mapping as swapped memory of the process. Huge pages are never swapped out.
 */
function sharesMemory(objects: readonly Members[]): boolean {
  return objects.some((object) => {
    const type = typeOf(object, 'qom-type');
    if (!isMemory(object) || isTrue(object.get('hugetlb'))) return false;
    // memfd and shm are shared unless told otherwise, the others only when told so.
    const usual = type === 'memory-backend-memfd' || type === 'memory-backend-shm' ? 'on' : 'off';
    return isTrue(object.get('share') ?? usual);
  });
}

function isMemory(object: Members): boolean {
  return typeOf(object, 'qom-type').startsWith('memory-backend-');
}

function typeOf(members: Members, key: string): string {
  return members.get('') ?? members.get(key) ?? '';
}

function isTrue(value: string | undefined): boolean {
  return /^(?:on|yes|true|y)$/.test(value ?? '');
}

/** A size with or without unit, in bytes; NaN for anything else. */
function sizeOf(text: string | undefined, usualUnit: number): number {
  const match = /^(\d+(?:\.\d+)?)([BKMGT]?)$/i.exec(text ?? '');
  if (match === null) return NaN;
  const unit = (match[2] ?? '').toUpperCase();
  return Number(match[1]) * (unit === '' ? usualUnit : (sizeUnits[unit] ?? NaN));
}
