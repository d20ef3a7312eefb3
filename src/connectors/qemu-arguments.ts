/**
 * What the command line of a QEMU process says about its VM. It is fixed at the start: later renames and hot-plugs do
 * not show. Source: qemu(1).
 */
export interface QemuArguments {
  readonly pidFile?: string;
  readonly name?: string;
  /** Lower-case UUID of -smbios type=1 or -uuid. */
  readonly uuid?: string;
  /** Bytes. */
  readonly memory?: number;
  /** Image files by the name of the drive, such as drive-scsi0. */
  readonly images: ReadonlyMap<string, string>;
  /** Ids of the CD-ROM devices. */
  readonly cdroms: ReadonlySet<string>;
}

const MIB = 2 ** 20;
const CDROM = /^(?:ide|scsi)-cd$/;
const memoryUnits: Readonly<Record<string, number>> = {
  '': MIB,
  B: 1,
  K: 2 ** 10,
  M: MIB,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** Whether a process is QEMU, by its argv[0] as Proxmox VE judges it: `kvm` or `qemu-*`. */
export function isQemu(argv: readonly string[]): boolean {
  const program = argv[0]?.split('/').at(-1) ?? '';
  return program.endsWith('kvm') || program.startsWith('qemu-');
}

/** Reads the arguments of a QEMU process; what they do not tell is left out. */
export function parseQemuArguments(argv: readonly string[]): QemuArguments {
  const result: { -readonly [K in keyof QemuArguments]: QemuArguments[K] } = {
    images: new Map(),
    cdroms: new Set(),
  };
  const images = result.images as Map<string, string>;
  const cdroms = result.cdroms as Set<string>;
  for (let i = 1; i + 1 < argv.length; i++) {
    const value = argv[i + 1] as string;
    switch (argv[i]?.replace(/^--/, '-')) {
      case '-pidfile':
        result.pidFile = value;
        break;
      case '-name':
        result.name = nameOf(value);
        break;
      case '-uuid':
        result.uuid = value.toLowerCase();
        break;
      case '-smbios': {
        const options = suboptions(value);
        const uuid = options.get('uuid');
        if (options.get('type') === '1' && uuid !== undefined) result.uuid = uuid.toLowerCase();
        break;
      }
      case '-m': {
        const memory = memoryOf(value);
        if (memory !== undefined) result.memory = memory;
        break;
      }
      case '-drive': {
        const options = suboptions(value);
        const id = options.get('id');
        const file = options.get('file');
        if (id !== undefined && file !== undefined) images.set(id, file);
        break;
      }
      case '-device': {
        const options = suboptions(value);
        const id = options.get('id');
        if (id !== undefined && CDROM.test(options.get('') ?? options.get('driver') ?? '')) cdroms.add(id);
        break;
      }
      case '-blockdev': {
        const [node, file] = blockdevFile(value);
        if (node !== undefined && file !== undefined) images.set(node, file);
        break;
      }
      default:
        continue;
    }
    i++;
  }
  return result;
}

/** QEMU's option lists: `k=v` separated by commas, a doubled comma is a comma; a bare word is kept under ''. */
function suboptions(list: string): Map<string, string> {
  const result = new Map<string, string>();
  for (const part of list.replaceAll(',,', '\0').split(',')) {
    const text = part.replaceAll('\0', ',');
    const equals = text.indexOf('=');
    if (equals < 0) result.set('', text);
    else result.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return result;
}

/** `-name web,debug-threads=on` or libvirt's `-name guest=web,debug-threads=on`. */
function nameOf(value: string): string {
  const first = /^(?:[^,]|,,)*/.exec(value)?.[0] ?? '';
  return first.replaceAll(',,', ',').replace(/^guest=/, '');
}

function memoryOf(value: string): number | undefined {
  const options = suboptions(value);
  const match = /^(\d+)([BKMGT]?)$/i.exec(options.get('size') ?? options.get('') ?? '');
  if (match === null) return undefined;
  return Number(match[1]) * (memoryUnits[(match[2] ?? '').toUpperCase()] ?? NaN);
}

/** The node name of a -blockdev in JSON form and the file at the bottom of its layers. */
function blockdevFile(value: string): [string | undefined, string | undefined] {
  if (!value.startsWith('{')) {
    const options = suboptions(value);
    return [options.get('node-name'), options.get('filename') ?? options.get('file.filename')];
  }
  let layer: unknown;
  try {
    layer = JSON.parse(value);
  } catch {
    return [undefined, undefined];
  }
  const node = field(layer, 'node-name');
  while (typeof field(layer, 'file') === 'object') layer = field(layer, 'file');
  const file = field(layer, 'filename');
  return [typeof node === 'string' ? node : undefined, typeof file === 'string' ? file : undefined];
}

function field(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null ? (object as Record<string, unknown>)[key] : undefined;
}
