import { nameOf, uuidOf } from './identity.ts';
import { sharesMemory, startMemory } from './qemu-memory.ts';

/** The directory that libvirt makes for each start of a domain: `.../domain-<id>-<name>/`. */
export interface DomainDirectory {
  readonly id: number;
  /** The first 20 characters of the domain's name. */
  readonly name: string;
}

/**
 * What the command line of a QEMU process says about its VM. It is fixed at the start: later renames and hot-plugs do
 * not show. Source: qemu(1).
 */
export interface QemuArguments {
  readonly pidFile: string | undefined;
  /** At most 255 characters. */
  readonly name: string | undefined;
  /** Lower-case UUID of -smbios type=1 or -uuid; undefined where what is given is none. */
  readonly uuid: string | undefined;
  /** vCPUs at the start; undefined where the topology is not given in numbers we understand. */
  readonly cpus: number | undefined;
  /** Bytes at the start, DIMMs included. */
  readonly memory: number | undefined;
  /** Whether memory of the guest is shared with other processes and can be swapped out. */
  readonly sharedMemory: boolean;
  /** Where libvirt keeps the files of this run of its domain; undefined for a QEMU that it did not start. */
  readonly domainDirectory: DomainDirectory | undefined;
  /** Image files by the name of the drive, such as drive-scsi0. */
  readonly images: ReadonlyMap<string, string>;
  /** Path of the unix socket on which the QMP monitor listens for whoever comes; relative to QEMU's directory. */
  readonly monitor: string | undefined;
  /** Taps that are named; others were handed over as descriptors. */
  readonly taps: readonly string[];
  /** Names of the CD-ROM drives: ids of the device and of its drive, without `drive-`. */
  readonly cdroms: ReadonlySet<string>;
}

const CDROM = /^(?:ide|scsi)-cd$/;
const DOMAIN_DIRECTORY = /\/domain-(\d+)-([^/]+)\/[^/]+$/;

/** Whether a process is QEMU, by its argv[0] as Proxmox VE judges it: `kvm` or `qemu-*`. */
export function isQemu(argv: readonly string[]): boolean {
  const program = argv[0]?.split('/').at(-1) ?? '';
  return program.endsWith('kvm') || program.startsWith('qemu-');
}

/**
 * Whether a process is QEMU running a VM: qemu-system-*, qemu-kvm or kvm, none of its tools (qemu-img,
 * qemu-storage-daemon), and not one without a machine, as managers start them to ask what QEMU can do.
 */
export function runsVm(argv: readonly string[]): boolean {
  const program = argv[0]?.split('/').at(-1) ?? '';
  if (!/^(?:qemu-system-.+|qemu-kvm|kvm)$/.test(program)) return false;
  const options = optionsOf(argv);
  const machines = [...(options.get('machine') ?? []), ...(options.get('M') ?? [])].map(suboptions);
  return !machines.some((machine) => (machine.get('type') ?? machine.get('')) === 'none');
}

/** Reads the arguments of a QEMU process; what they do not tell is left out. */
export function parseQemuArguments(argv: readonly string[]): QemuArguments {
  const options = optionsOf(argv);
  const last = (name: string): string | undefined => options.get(name)?.at(-1);
  const lists = (name: string): Map<string, string>[] => (options.get(name) ?? []).map(suboptions);
  const smbios = lists('smbios').findLast((list) => list.get('type') === '1' && list.has('uuid'));
  const name = last('name');
  const memory = suboptions(last('m') ?? '');
  const objects = (options.get('object') ?? []).map(membersOf);
  const devices = (options.get('device') ?? []).map(membersOf);
  return {
    pidFile: last('pidfile'),
    name: name === undefined ? undefined : nameOf(guestName(name)),
    cpus: cpusOf(suboptions(last('smp') ?? '1')),
    uuid: uuidOf(smbios?.get('uuid')) ?? uuidOf(last('uuid')),
    memory: startMemory(memory.get('size') ?? memory.get(''), objects, devices),
    sharedMemory: sharesMemory(objects),
    domainDirectory: domainDirectoryOf([...objects, ...lists('chardev')]),
    images: new Map(
      [
        ...lists('drive').map((list) => [list.get('id'), list.get('file')] as const),
        ...(options.get('blockdev') ?? []).map(blockdevFile),
      ].filter((image): image is [string, string] => image[0] !== undefined && image[1] !== undefined),
    ),
    cdroms: new Set(
      [
        ...lists('device').filter((list) => CDROM.test(list.get('') ?? list.get('driver') ?? '')),
        ...lists('drive').filter((list) => list.get('media') === 'cdrom'),
      ]
        .flatMap((list) => [list.get('id'), list.get('drive')])
        .flatMap((name) => name?.replace(/^drive-/, '') ?? []),
    ),
    taps: [...lists('netdev'), ...lists('nic'), ...lists('net')].flatMap((list) => list.get('ifname') ?? []),
    monitor: monitorOf(options.get('qmp') ?? [], lists('chardev'), lists('mon')),
  };
}

/** The values of each option, in their order; options are taken with one or two dashes. */
function optionsOf(argv: readonly string[]): Map<string, string[]> {
  const options = new Map<string, string[]>();
  for (let i = 1; i + 1 < argv.length; i++) {
    const option = /^--?([a-z].*)$/i.exec(argv[i] ?? '')?.[1];
    if (option === undefined) continue;
    const value = argv[i + 1] as string;
    const values = options.get(option) ?? [];
    values.push(value);
    options.set(option, values);
    // The value may itself begin with a dash (a name); an option without value is followed by another option.
    if (!/^--?[a-z]/i.test(value)) i++;
  }
  return options;
}

type Suboptions = ReadonlyMap<string, string>;

/** The path of a socket on which QEMU waits for any client of its QMP monitor; one in the abstract namespace has none. */
function monitorOf(
  qmp: readonly string[],
  chardevs: readonly Suboptions[],
  monitors: readonly Suboptions[],
): string | undefined {
  const control = monitors.filter((list) => list.get('mode') === 'control' && list.get('pretty') !== 'on');
  const ids = control.map((list) => list.get('chardev') ?? list.get(''));
  const sockets = [
    ...qmp
      .filter((value) => value.startsWith('unix:'))
      .map((value) => suboptions(`path=${value.slice('unix:'.length)}`)),
    ...chardevs.filter((list) => list.get('') === 'socket' && ids.includes(list.get('id'))),
  ];
  return sockets.find((list) => isOn(list, 'server') && !isOn(list, 'abstract'))?.get('path');
}

function isOn(list: Suboptions, key: string): boolean {
  return /^(?:on|yes|true|y)$/.test(list.get(key) ?? '');
}

/**
 * QEMU's option lists: `k=v` separated by commas, a doubled comma is a comma. A bare word at the front is kept under
 * '' (the driver, the backend, the size); a later one is a switch that is on.
 */
function suboptions(list: string): Map<string, string> {
  const result = new Map<string, string>();
  list
    .replaceAll(',,', '\0')
    .split(',')
    .forEach((part, index) => {
      const text = part.replaceAll('\0', ',');
      const equals = text.indexOf('=');
      // QEMU takes the front for a bare word, whatever follows, if a comma stands in it before any `=`.
      const bare = equals < 0 || text.slice(0, equals).includes(',');
      if (!bare) result.set(text.slice(0, equals), text.slice(equals + 1));
      else if (index === 0) result.set('', text);
      else result.set(text, 'on');
    });
  return result;
}

/** `-name web,debug-threads=on` or libvirt's `-name guest=web,debug-threads=on`. */
function guestName(value: string): string | undefined {
  const options = suboptions(value);
  return options.get('guest') ?? options.get('');
}

/** `-smp 4`, `-smp cpus=4,maxcpus=8`, or the product of its parts: `-smp sockets=2,cores=2,threads=1`. */
function cpusOf(options: Suboptions): number | undefined {
  const parts = ['sockets', 'dies', 'clusters', 'cores', 'threads'].map((part) => options.get(part) ?? '1');
  const given = options.get('cpus') ?? options.get('');
  const cpus = given === undefined ? parts.reduce((all, part) => all * Number(part), 1) : Number(given);
  return Number.isSafeInteger(cpus) && cpus > 0 ? cpus : undefined;
}

/** The members of an -object or a -device, be it an option list or JSON, of which nested ones are left out. */
function membersOf(value: string): Suboptions {
  if (!value.startsWith('{')) return suboptions(value);
  const members = Object.entries(jsonOf(value) ?? {}).filter(([, member]) => typeof member !== 'object');
  return new Map(members.map(([key, member]) => [key, String(member)]));
}

/** Told by the files that libvirt hands over: the key of the domain's secrets, sockets. */
function domainDirectoryOf(lists: readonly Suboptions[]): DomainDirectory | undefined {
  for (const list of lists) {
    const [, id, name] = DOMAIN_DIRECTORY.exec(list.get('file') ?? list.get('path') ?? '') ?? [];
    if (id !== undefined && name !== undefined) return { id: Number(id), name };
  }
  return undefined;
}

/** The node name of a -blockdev in JSON form and the file at the bottom of its layers. */
function blockdevFile(value: string): [string | undefined, string | undefined] {
  if (!value.startsWith('{')) {
    const options = suboptions(value);
    return [options.get('node-name'), options.get('filename') ?? options.get('file.filename')];
  }
  let layer: unknown = jsonOf(value);
  const node = field(layer, 'node-name');
  while (typeof field(layer, 'file') === 'object') layer = field(layer, 'file');
  const file = field(layer, 'filename');
  return [typeof node === 'string' ? node : undefined, typeof file === 'string' ? file : undefined];
}

function field(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null ? (object as Record<string, unknown>)[key] : undefined;
}

/** An object written in JSON; undefined for anything else. */
function jsonOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
