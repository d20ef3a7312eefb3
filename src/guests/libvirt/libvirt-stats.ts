import { Counters } from '../../kernel/base/counters.ts';
import { netDevCounters } from '../../kernel/proc/proc-net-dev.ts';
import type { TypedParameters } from '../../libvirt/typed-parameters.ts';
import type { DiskLimits } from '../../qmp/throttle.ts';
import type { BalloonReading, Detail, DiskReading, VcpuReading } from '../guest.ts';
import { diskCounters } from '../guest.ts';
import type { NicReading } from '../sources.ts';
import { balloonReading } from '../qemu/guest-report.ts';
import type { DomainDevices } from './libvirt-xml.ts';

const KIB = 1024;
/** More disks, interfaces or vCPUs than a domain can have; bounds the work for a server that claims more. */
const MOST_MEMBERS = 4096;

/** libvirt's names for {@link diskCounters}; failures it does not count. */
const blockNames = {
  rdOps: 'rd.reqs',
  wrOps: 'wr.reqs',
  flOps: 'fl.reqs',
  rdBytes: 'rd.bytes',
  wrBytes: 'wr.bytes',
  rdTime: 'rd.times',
  wrTime: 'wr.times',
  flTime: 'fl.times',
  failures: undefined,
} as const satisfies Readonly<Record<(typeof diskCounters)[number], string | undefined>>;

/** libvirt tells the directions of the guest, whatever the interface is. */
const interfaceNames = [
  [netDevCounters.rxBytes, 'rx.bytes'],
  [netDevCounters.rxPackets, 'rx.pkts'],
  [netDevCounters.rxErrors, 'rx.errs'],
  [netDevCounters.rxDropped, 'rx.drop'],
  [netDevCounters.txBytes, 'tx.bytes'],
  [netDevCounters.txPackets, 'tx.pkts'],
  [netDevCounters.txErrors, 'tx.errs'],
  [netDevCounters.txDropped, 'tx.drop'],
] as const;

/** Names of the members of a sparse list `group.N.*`, made once for each N. */
class MemberNames<M extends string> {
  private readonly known: Readonly<Record<M, string>>[] = [];

  constructor(
    private readonly group: string,
    private readonly members: readonly M[],
  ) {}

  /** Those of each member that may be there: the count is one more than the largest N that may occur. */
  *of(parameters: TypedParameters): Generator<Readonly<Record<M, string>>> {
    const count = countOf(parameters, `${this.group}.count`);
    for (let n = 0; n < count; n++) yield (this.known[n] ??= this.make(n));
  }

  private make(n: number): Readonly<Record<M, string>> {
    const names = this.members.map((member) => [member, `${this.group}.${n}.${member}`]);
    return Object.fromEntries(names) as Record<M, string>;
  }
}

const blockMembers = new MemberNames('block', [
  'name',
  'path',
  'capacity',
  'allocation',
  'physical',
  ...Object.values(blockNames).filter((name) => name !== undefined),
]);
const interfaceMembers = new MemberNames('net', ['name', ...interfaceNames.map(([, name]) => name)]);

/** A number libvirt told; NaN where it did not. */
export function numberOf(parameters: TypedParameters, name: string): number {
  const value = parameters.get(name);
  return typeof value === 'number' ? value : NaN;
}

/** How many members a list has at most; NaN where libvirt did not tell. */
function countOf(parameters: TypedParameters, name: string): number {
  return Math.min(numberOf(parameters, name), MOST_MEMBERS);
}

/**
 * Whether QEMU answered libvirt. Where it does not, what only the monitor knows is left out without an error: the counters
 * of disks, and the resident size, which libvirt tells last of the group balloon.
 */
export function monitorAnswered(parameters: TypedParameters): boolean {
  return balloonTold(parameters) || disksTold(parameters);
}

/** Whether the group balloon is in the answer. */
export function balloonTold(parameters: TypedParameters): boolean {
  return parameters.has('balloon.rss');
}

/** Whether the counters of a disk are in the answer; a domain without any has none. */
export function disksTold(parameters: TypedParameters): boolean {
  for (const names of blockMembers.of(parameters)) if (parameters.has(names['rd.reqs'])) return true;
  return false;
}

/** Whether the guest has ever said through its balloon what memory it uses. */
export function guestReported(parameters: TypedParameters): boolean {
  return numberOf(parameters, 'balloon.last-update') > 0;
}

/**
 * What the groups block, balloon, vcpu and cpu say.
 * @param time monotonic seconds of the answer
 * @param devices what the XML of the domain tells: its removable drives, which are left out, its huge pages, limits of disks
 */
export function readDetail(
  parameters: TypedParameters,
  time: number,
  { removable, hugePages, diskLimits }: Pick<DomainDevices, 'removable' | 'hugePages' | 'diskLimits'>,
): Detail {
  const balloon = readBalloon(parameters);
  return {
    time,
    disks: readDisks(parameters, removable, diskLimits),
    ...(balloon.actual !== undefined && { balloon }),
    ...readCpu(parameters),
    ...known('rss', hugePages ? NaN : numberOf(parameters, 'balloon.rss') * KIB),
  };
}

/** What libvirt reads from /proc for the groups vcpu and cpu, and so tells of a QEMU that does not answer it, too. */
export function readCpu(parameters: TypedParameters): Pick<Detail, 'vcpus' | 'cpuTime'> {
  const vcpus = readVcpus(parameters);
  return vcpus.length > 0 ? { vcpus, cpuTime: numberOf(parameters, 'cpu.time') } : {};
}

function readDisks(
  parameters: TypedParameters,
  removable: ReadonlySet<string>,
  diskLimits: ReadonlyMap<string, DiskLimits>,
): DiskReading[] {
  const disks: DiskReading[] = [];
  for (const names of blockMembers.of(parameters)) {
    const device = parameters.get(names.name);
    if (typeof device !== 'string' || removable.has(device)) continue;
    const counters = new Counters(diskCounters.length);
    diskCounters.forEach((counter, index) => {
      const member = blockNames[counter];
      if (member !== undefined) counters.set(index, numberOf(parameters, names[member]));
    });
    const path = parameters.get(names.path);
    const limits = diskLimits.get(device);
    disks.push({
      device,
      counters,
      ...(typeof path === 'string' && { path }),
      ...known('capacity', numberOf(parameters, names.capacity)),
      ...known('allocation', numberOf(parameters, names.allocation)),
      ...known('physical', numberOf(parameters, names.physical)),
      ...(limits !== undefined && { limits }),
    });
  }
  return disks;
}

/** Sizes come in KiB, the time of the report in seconds by the clock of the domain's host. */
function readBalloon(parameters: TypedParameters): BalloonReading {
  const bytes = (name: string): number => numberOf(parameters, `balloon.${name}`) * KIB;
  const { reported } = known('reported', numberOf(parameters, 'balloon.last-update'));
  const told = {
    ...known('actual', bytes('current')),
    ...known('max', bytes('maximum')),
    ...known('total', bytes('available')),
    ...known('free', bytes('unused')),
    ...known('swapIn', bytes('swap_in')),
    ...known('swapOut', bytes('swap_out')),
  };
  return balloonReading(told, reported, undefined, Date.now() / 1000);
}

/** vCPUs that are plugged in; their numbers have gaps after an unplug. */
function readVcpus(parameters: TypedParameters): VcpuReading[] {
  const vcpus: VcpuReading[] = [];
  const maximum = countOf(parameters, 'vcpu.maximum');
  for (let number = 0; number < maximum; number++) {
    const run = numberOf(parameters, `vcpu.${number}.time`);
    if (Number.isNaN(run)) continue;
    vcpus.push({ number, run, wait: numberOf(parameters, `vcpu.${number}.delay`) });
  }
  return vcpus;
}

/** The interfaces of a domain with their counters, from the group interface. */
export function readNics(parameters: TypedParameters): NicReading[] {
  const nics: NicReading[] = [];
  for (const names of interfaceMembers.of(parameters)) {
    const device = parameters.get(names.name);
    if (typeof device !== 'string') continue;
    const counters = new Counters(Object.keys(netDevCounters).length);
    for (const [column, name] of interfaceNames) counters.set(column, numberOf(parameters, names[name]));
    nics.push({ device, end: 'guest', counters });
  }
  return nics;
}

function known<K extends string>(key: K, value: number): { readonly [P in K]?: number } {
  return Number.isNaN(value) || value < 0 ? {} : ({ [key]: value } as { readonly [P in K]?: number });
}
