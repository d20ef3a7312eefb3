import { nameOf, uuidOf } from '../identity.ts';
import type { QemuDrive } from './qemu-drives.ts';
import { drivesOf } from './qemu-drives.ts';
import { memoryPlaces, startMemory } from './qemu-memory.ts';
import type { MemoryPlaces } from './qemu-memory.ts';
import type { Suboptions } from './qemu-options.ts';
import { isOn, optionsOf, suboptions } from './qemu-options.ts';

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
  /** Where its memory is: see {@link memoryPlaces}. */
  readonly memoryPlaces: MemoryPlaces;
  /** Where libvirt keeps the files of this run of its domain; undefined for a QEMU that it did not start. */
  readonly domainDirectory: DomainDirectory | undefined;
  /** The drives of the guest at the start, CD-ROMs and firmware among them. */
  readonly drives: readonly QemuDrive[];
  /** Path of the unix socket on which the QMP monitor listens for whoever comes; relative to QEMU's directory. */
  readonly monitor: string | undefined;
  /** The same of one whose name, or that of its folder, holds `proxtop`: it was made for us alone. */
  readonly ownMonitor: string | undefined;
  /** Taps that are named; others were handed over as descriptors. */
  readonly taps: readonly string[];
}

/** A socket that was made for proxtop: /run/qemu-server/101-proxtop.qmp, /run/proxtop/101.qmp. */
const OWN_MONITOR = /proxtop[^/]*(?:\/[^/]*)?$/;
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
  const machines = [...(options.get('machine') ?? []), ...(options.get('M') ?? [])].map((value) =>
    suboptions(value),
  );
  return !machines.some((machine) => (machine.get('type') ?? machine.get('')) === 'none');
}

/** Reads the arguments of a QEMU process; what they do not contain is left out. */
export function parseQemuArguments(argv: readonly string[]): QemuArguments {
  const options = optionsOf(argv);
  const last = (name: string): string | undefined => options.get(name)?.at(-1);
  const lists = (name: string): Suboptions[] => (options.get(name) ?? []).map((value) => suboptions(value));
  const smbios = lists('smbios').findLast((list) => list.get('type') === '1' && list.has('uuid'));
  const name = last('name');
  const memory = suboptions(last('m') ?? '');
  const monitors = monitorsOf(options.get('qmp') ?? [], lists('chardev'), lists('mon'));
  return {
    pidFile: last('pidfile'),
    name: name === undefined ? undefined : nameOf(guestName(name)),
    cpus: cpusOf(lists('smp')),
    uuid: uuidOf(smbios?.get('uuid')) ?? uuidOf(last('uuid')),
    memory: startMemory(memory.get('size') ?? memory.get(''), lists('object'), lists('device')),
    memoryPlaces: memoryPlaces(lists('object'), lists('numa')),
    domainDirectory: domainDirectoryOf([...lists('object'), ...lists('chardev')]),
    drives: drivesOf(lists('blockdev'), lists('drive'), lists('device')),
    taps: [...lists('netdev'), ...lists('nic'), ...lists('net')].flatMap((list) => list.get('ifname') ?? []),
    monitor: monitors[0],
    ownMonitor: monitors.find((path) => OWN_MONITOR.test(path)),
  };
}

/** The paths of sockets on which QEMU waits for any client of its QMP monitors; one in the abstract namespace has none. */
function monitorsOf(
  qmp: readonly string[],
  chardevs: readonly Suboptions[],
  monitors: readonly Suboptions[],
): readonly string[] {
  const control = monitors.filter((list) => list.get('mode') === 'control' && !isOn(list, 'pretty'));
  const after = (prefix: string): string[] =>
    qmp.filter((value) => value.startsWith(prefix)).map((value) => value.slice(prefix.length));
  const ids = [...after('chardev:'), ...control.map((list) => list.get('chardev') ?? list.get(''))];
  const sockets = [
    ...after('unix:').map((address) => suboptions(address, 'path')),
    ...chardevs.filter((list) => list.get('') === 'socket' && ids.includes(list.get('id'))),
  ];
  // One that was handed over as a descriptor, or is on TCP, has no path: then the next one may be for us.
  const usable = sockets.filter((list) => isOn(list, 'server') && !isOn(list, 'abstract'));
  return usable.map((list) => list.get('path') ?? '').filter((path) => path !== '');
}

/** `-name web,debug-threads=on` or libvirt's `-name guest=web,debug-threads=on`. */
function guestName(value: string): string | undefined {
  const options = suboptions(value);
  return options.get('guest') ?? options.get('');
}

/**
 * `-smp 4`, `-smp cpus=4,maxcpus=8`, or the product of its parts: `-smp sockets=2,cores=2,threads=1`. Without `cpus`
 * all that `maxcpus` allows are there from the start. Later options complete earlier ones.
 * Source: QEMU machine_parse_smp_config.
 */
function cpusOf(lists: readonly Suboptions[]): number | undefined {
  const options = new Map(lists.flatMap((list) => [...list]));
  const parts = ['drawers', 'books', 'sockets', 'dies', 'clusters', 'modules', 'cores', 'threads'];
  const given = options.get('cpus') ?? options.get('') ?? options.get('maxcpus');
  const product = parts.reduce((all, part) => all * Number(options.get(part) ?? 1), 1);
  const cpus = given === undefined ? product : Number(given);
  return Number.isSafeInteger(cpus) && cpus > 0 ? cpus : undefined;
}

/** Told by the files that libvirt hands over: the key of the domain's secrets, sockets. */
function domainDirectoryOf(lists: readonly Suboptions[]): DomainDirectory | undefined {
  for (const list of lists) {
    const [, id, name] = DOMAIN_DIRECTORY.exec(list.get('file') ?? list.get('path') ?? '') ?? [];
    if (id !== undefined && name !== undefined) return { id: Number(id), name };
  }
  return undefined;
}
