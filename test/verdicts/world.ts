import type { Row } from '../../src/catalogue/row.ts';
import type { GuestRows, Sample } from '../../src/sampling/sample.ts';
import { Verdicts } from '../../src/verdicts/verdicts.ts';
import type { Verdict } from '../../src/verdicts/verdict.ts';
import { row, sampleOf, vmRows } from '../formats/sample.ts';

export type Known = Readonly<Record<string, number | string>>;

/** What a test says of a guest: values of its row, and those of its devices by their names. */
interface Guest extends Partial<Record<string, number | string | Readonly<Record<string, Known>>>> {
  readonly disks?: Readonly<Record<string, Known>>;
  readonly nics?: Readonly<Record<string, Known>>;
  readonly vcpus?: Readonly<Record<string, Known>>;
}

/** A host and its guests in one sample: what is not said of the host is healthy. */
export interface World {
  readonly host?: Known;
  /** Percent that each of its CPUs is busy. */
  readonly cpus?: readonly number[];
  /** Of its block devices. */
  readonly devices?: Readonly<Record<string, Known>>;
  readonly nics?: Readonly<Record<string, Known>>;
  /** Bytes of each of its NUMA nodes, where it has several. */
  readonly numa?: readonly number[];
  /** By vmid, or vmid and name. */
  readonly guests: Readonly<Record<string, Guest>>;
}

const GIB = 2 ** 30;
const healthyHost: Known = {
  cpu_cores: 8,
  cpu_idle: 70,
  cpu_iowait: 0,
  cpu_steal: 0,
  ram_total: 128 * GIB,
  ram_obtainable: 64 * GIB,
  ram_pswpin: 0,
  psi_some_mem_avg10: 0,
  psi_some_cpu_avg10: 0,
};
const healthyVm: Known = {
  guest_type: 'qemu',
  state: 'running',
  uptime: 3600,
  cpu_cores: 1,
  cpu_total: 10,
  cpu_steal: 0.5,
  cpu_steal_max: 0.5,
  cpu_other_total: 1,
  cpu_other_steal: 0,
  cpu_throttled: 0,
  ram_swap: 0,
  ram_majflt: 0,
  psi_full_mem_avg10: 0,
};
const healthyContainer: Known = {
  guest_type: 'lxc',
  state: 'running',
  uptime: 3600,
  cpu_cores: 8,
  cpu_total: 1,
  cpu_throttled: 0,
  psi_some_cpu_avg10: 0,
  psi_full_mem_avg10: 0,
};

/** Rows of devices by their names. */
function rowsOf(scope: Row['scope'], named: Readonly<Record<string, Known>> = {}): Row[] {
  return Object.entries(named).map(([device, known]) => row(scope, { device, ...known }));
}

function guestRows(id: string, { disks, nics, vcpus, ...known }: Guest): GuestRows {
  const [vmid = id, name = `vm${vmid}`] = id.split(' ');
  const healthy = known['guest_type'] === 'lxc' ? healthyContainer : healthyVm;
  const values: Known = { UUID: `uuid-${vmid}`, vmid, name, ...healthy, ...(known as Known) };
  const used = { cpu_used: (Number(values['cpu_total']) / 100) * Number(values['cpu_cores']) };
  const rows = vmRows(row('vm', { ...used, ...values }), {
    disks: rowsOf('vm_disk', disks),
    nics: rowsOf('vm_nic', nics),
    vcpus: rowsOf('vm_vcpu', vcpus),
  });
  const type = values['guest_type'] === 'lxc' ? ('lxc' as const) : ('qemu' as const);
  const lock = values['lock'] === undefined ? undefined : String(values['lock']);
  return { ...rows, guest: { ...rows.guest, type, lock, state: String(values['state']) } };
}

/** The sample of a world. @param second since the first one */
export function sampleAt({ host, cpus, devices, nics, numa, guests }: World, second: number): Sample {
  const busy = Object.fromEntries((cpus ?? []).map((cpu_busy, cpu) => [String(cpu), { cpu_busy }]));
  const nodes = Object.fromEntries((numa ?? []).map((numa_total, node) => [String(node), { numa_total }]));
  return sampleOf({
    time: Date.UTC(2026, 10, 22, 12) + second * 1000,
    seq: second + 1,
    interval: 1,
    guests: Object.entries(guests).map(([id, known]) => guestRows(id, known)),
    host: {
      row: row('host', { ...healthyHost, ...host }),
      cpus: rowsOf('host_cpu', busy),
      disks: rowsOf('host_disk', devices),
      nics: rowsOf('host_nic', nics),
      numa: rowsOf('host_numa', nodes),
    },
  });
}

/** The verdicts after so many seconds, with all values constant or as they are at each second. */
export function verdictsAfter(
  seconds: number,
  world: World | ((second: number) => World),
): readonly Verdict[] {
  const verdicts = new Verdicts();
  for (let second = 0; second <= seconds; second++)
    verdicts.add(sampleAt(typeof world === 'function' ? world(second) : world, second));
  return verdicts.now;
}

/** Their sentences. */
export function told(seconds: number, world: World | ((second: number) => World)): string[] {
  return verdictsAfter(seconds, world).map(({ text }) => text);
}

/** The same values for several guests. */
export function several(ids: readonly number[], known: (index: number) => Guest): World['guests'] {
  return Object.fromEntries(ids.map((id, index) => [String(id), known(index)]));
}
