import { defaultRoots } from '../../kernel/base/paths.ts';
import { collectorNames } from '../../catalogue/catalogue.ts';
import type { MeasuringName } from '../../catalogue/catalogue.ts';
import type { Option } from './option.ts';
import { history } from './schema-history.ts';
import { profiler } from './schema-profiler.ts';
import { output } from './schema-output.ts';
import {
  choice,
  choices,
  decimal,
  libvirtUri,
  nodeList,
  names,
  recordingPath,
  plainText,
  times,
  truth,
} from '../values.ts';

const what = 'What to measure';
const where = 'Where to send it';
const often = 'How often';
const found = 'Where the VMs are found';
const information = 'Configuration and information';

/** What each collector measures. */
const measured: Readonly<Record<MeasuringName, string>> = {
  cpu: 'CPU time used, and time spent waiting for a CPU',
  mem: 'memory of the VM as host and guest see it',
  disk: 'disk operations, throughput and latency',
  net: 'network traffic, errors and drops',
  io: 'I/O of the QEMU process; needs root',
  pressure: 'pressure stall information (kernel 4.20)',
  host: 'name, kernel and uptime of the host',
  sensors: 'temperatures and fans of the host; with --devices a row for each',
  energy: 'power of CPUs and memory (RAPL), with an estimate for each guest; needs root',
};

/** 0.1.0 also called pressure psi. */
const collectors = choices<MeasuringName>(Object.fromEntries(collectorNames.map((name) => [name, name])), {
  psi: 'pressure',
});

/** What to print: set for all outputs at once, and by an [output.NAME] for itself. */
export const printing = {
  verbose: {
    type: truth,
    default: 'false',
    help: 'also the metrics that --list-metrics marks verbose',
    flag: { group: what, alias: 'a' },
  },
  devices: {
    type: truth,
    default: 'false',
    help: 'also a row for each vCPU, disk, NIC, sensor and power zone',
    flag: { group: what },
  },
  human: {
    type: truth,
    default: 'false',
    help: 'human-readable: aligned columns that fit the terminal, sizes such as 3.2GiB (text printer only)',
    flag: { group: where, alias: 'H' },
  },
  names: {
    type: choice(['proxtop', 'original']),
    default: 'proxtop',
    help: 'metric ids and units: of proxtop, or of the original Go program',
    flag: { group: where, placeholder: 'WHOSE' },
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Which part of each sample an output gets; only in an [output.NAME]. */
export const selecting = {
  collectors: {
    type: collectors,
    otherwise: 'all that measure',
    help: 'print the metrics of these collectors only',
  },
  include: {
    type: names,
    otherwise: 'all VMs',
    help: 'VMs and containers to print: names with * and ?, vmids, UUIDs, tag:NAME for tags, type:lxc (qemu, nspawn) for the kind',
  },
  exclude: { type: names, otherwise: 'none', help: 'VMs and containers not to print; same patterns' },
} as const satisfies Readonly<Record<string, Option>>;

/** What --replay means without a file: the history in state_dir. */
export const theHistory = 'history';

/** Keys at the top of the file. */
const general = {
  frequency: {
    type: decimal(0.1, 86400, 'seconds'),
    default: '1',
    help: 'seconds between samples, fractions from 0.1; -d as in esxtop',
    flag: { group: often, alias: 'f', esxtop: 'd', placeholder: 'SECONDS' },
  },
  runs: {
    type: times,
    default: 'endless',
    help: 'exit after this many samples; -n as in esxtop',
    flag: { group: often, alias: 'r', esxtop: 'n', placeholder: 'N' },
  },
  detail_interval: {
    type: decimal(0.1, 86400, 'seconds'),
    otherwise: '10, or the frequency',
    help:
      "seconds between polls of a VM's monitor, at least the frequency; after a slow poll it is at least ten times the " +
      'duration of that poll',
    flag: { group: often, placeholder: 'SECONDS' },
  },
  collectors: {
    type: collectors,
    default: 'cpu, mem, disk, net, io',
    help: `what to measure: ${collectorNames.join(', ')}`,
    switches: [
      ...collectorNames.map((name) => ({ name, value: name, group: what, help: measured[name] }) as const),
      { name: 'psi', value: 'pressure', group: what, help: 'the same as --pressure', hidden: true },
    ],
  },
  latency_histogram: {
    type: truth,
    default: 'false',
    help:
      'percentiles of disk latency: enables latency histograms in the QEMU of each VM, until it ends ' +
      '(block-latency-histogram-set); not with libvirt',
    flag: { group: what },
  },
  netdev: {
    type: names,
    otherwise: 'all physical ones',
    help: 'interfaces in the network sums of the host: names with * and ?, !NAME to leave out',
    flag: { group: what, placeholder: 'NAMES' },
  },
  storedev: {
    type: names,
    otherwise: 'all physical ones',
    help: 'block devices in the disk sums of the host; same patterns',
    flag: { group: what, placeholder: 'NAMES' },
  },
  nic_rows: {
    type: names,
    otherwise: 'those in the sums',
    help: 'interfaces of the host with a row of their own with --devices; same patterns; does not affect the sums',
    flag: { group: what, placeholder: 'NAMES' },
  },
  disk_rows: {
    type: names,
    otherwise: 'all but loop and ram devices and partitions made by guests',
    help: 'block devices of the host with a row of their own with --devices, also by volume name; does not affect the sums',
    flag: { group: what, placeholder: 'NAMES' },
  },
  ...printing,
  log_level: {
    type: choice(['debug', 'info', 'warn', 'error']),
    default: 'info',
    help: 'lowest level to log: debug, info, warn or error',
    flag: { group: information, placeholder: 'LEVEL' },
  },
  procfs: {
    type: plainText('a directory'),
    default: defaultRoots.procfs,
    help: 'where procfs is mounted',
    flag: { group: found, placeholder: 'DIR' },
  },
  sysfs: {
    type: plainText('a directory'),
    default: defaultRoots.sysfs,
    help: 'where sysfs is mounted',
    flag: { group: found, placeholder: 'DIR' },
  },
  cgroupfs: {
    type: plainText('a directory'),
    default: defaultRoots.cgroupfs,
    help: 'where cgroup v2 is mounted',
    flag: { group: found, placeholder: 'DIR' },
  },
  rundir: {
    type: plainText('a directory'),
    default: defaultRoots.rundir,
    help: 'runtime directory, with the pid files and monitor sockets of the VMs',
    flag: { group: found, placeholder: 'DIR' },
  },
  pvedir: {
    type: plainText('a directory'),
    default: defaultRoots.pvedir,
    help: 'cluster file system of Proxmox VE, with the configuration of the VMs',
    flag: { group: found, placeholder: 'DIR' },
  },
  hosts: {
    type: nodeList,
    otherwise: 'this host only',
    help: 'watch several hosts together over ssh: pve1,admin@kvm2,[2001:db8::1]:2222; localhost includes this one',
    flag: { group: found, placeholder: 'LIST' },
  },
  cluster: {
    type: truth,
    default: 'false',
    help: 'watch all nodes of the Proxmox VE cluster of this host, over the ssh setup of Proxmox VE',
    flag: { group: found },
  },
  record: {
    type: recordingPath,
    help: 'also write all samples to a file, for --replay: FILE.msgpack as MessagePack, others as JSON lines',
    flag: { group: where, placeholder: 'FILE' },
  },
  replay: {
    type: plainText('a path'),
    otherwise: 'live samples',
    help: 'replay json or msgpack samples, gzip or not, from a file, a pipe or a history directory; - is standard input; without FILE the history of this host',
    flag: { group: what, alias: 'R', placeholder: 'FILE', bare: theHistory },
  },
  state_dir: {
    type: plainText('a directory'),
    default: '/var/lib/proxtop',
    help: 'directory for persistent data: history, spools of outputs, profiles',
    flag: { group: where, placeholder: 'DIR' },
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Keys of [connector]. */
const connector = {
  type: {
    type: choice(['auto', 'proxmox', 'libvirt', 'qemu']),
    default: 'auto',
    help: 'source of the VM list: proxmox, libvirt, qemu (its processes), or auto for the first one found',
    switches: [
      {
        name: 'proxmox',
        value: 'proxmox',
        group: found,
        help: 'use Proxmox VE only',
      },
      {
        name: 'libvirt',
        value: 'libvirt',
        group: found,
        help: 'use libvirt only',
      },
      {
        name: 'qemu',
        value: 'qemu',
        group: found,
        help: 'use all QEMU processes, whatever started them',
      },
    ],
  },
  connection: {
    type: libvirtUri,
    default: 'qemu:///system',
    help: 'libvirt URI (unix, ssh, tcp, tls); implies --libvirt',
    flag: { group: found, alias: 'c', placeholder: 'URI' },
  },
  guests: {
    type: choice(['all', 'vms', 'containers']),
    default: 'all',
    help: 'guests to measure: vms, containers (Proxmox VE, LXC, Incus and systemd-nspawn), or all',
    switches: [
      { name: 'vms', value: 'vms', group: found, help: 'VMs only, no containers' },
      { name: 'containers', value: 'containers', group: found, help: 'containers only, no VMs' },
    ],
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Every option there is, by section and key. */
export const schema = { general, connector, output, history, profiler } as const;
export type SectionName = keyof typeof schema;
export const sectionNames: readonly SectionName[] = ['general', 'connector', 'output', 'history', 'profiler'];

/** The options of a section, where their exact types do not matter. */
export function schemaOptions(section: SectionName): Readonly<Record<string, Option>> {
  return schema[section];
}

export const environmentPrefix = 'PROXTOP_';
export const profilerPrefix = 'PROXPROFILER_';

/**
 * The environment variable of an option: PROXTOP_ (PROXPROFILER_) and its key; a type goes by the name of its section, and
 * so do those of the history (PROXTOP_HISTORY, PROXTOP_HISTORY_KEEP).
 */
export function environmentName(section: SectionName, key: string): string {
  if (section === 'history')
    return `${environmentPrefix}HISTORY${key === 'enabled' ? '' : `_${key.toUpperCase()}`}`;
  const prefix = section === 'profiler' ? profilerPrefix : environmentPrefix;
  return `${prefix}${(key === 'type' ? section : key).toUpperCase()}`;
}

/** Whether an option has a meaning for outputs of a type. */
export function appliesTo(option: Option, type: string): boolean {
  return option.outputs?.some((each) => each === type) ?? true;
}
