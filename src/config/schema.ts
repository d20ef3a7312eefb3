import { defaultRoots } from '../kernel/paths.ts';
import type { CollectorName } from '../metrics/catalogue.ts';
import { printerNames } from '../printers/index.ts';
import { headers } from './http.ts';
import {
  bytes,
  choice,
  choices,
  decimal,
  integer,
  libvirtUri,
  listed,
  names,
  text,
  times,
  truth,
} from './values.ts';
import type { ValueType } from './values.ts';

/** The headings under which `--help` shows the flags, in its order. */
export const flagGroups = [
  'What to measure',
  'Where to send it',
  'How often',
  'Where the VMs are found',
  'Configuration and information',
] as const;
export type FlagGroup = (typeof flagGroups)[number];

export const outputTypes = ['stdout', 'file', 'tcp', 'udp', 'http'] as const;
export type OutputType = (typeof outputTypes)[number];

/** The flag of an option; its name is the key with dashes. */
export interface OptionFlag {
  readonly group: FlagGroup;
  /** One letter. */
  readonly alias?: string;
  /** Another name where the key would say too little. */
  readonly name?: string;
  /** Stands for the value in the help; left out for a flag that takes none. */
  readonly placeholder?: string;
  /** Understood, but not shown in the help. */
  readonly hidden?: true;
}

/** A flag without a value that stands for one value of an option. */
export interface Switch {
  readonly name: string;
  /** Another long name. */
  readonly alias?: string;
  readonly value: string;
  readonly help: string;
  readonly group: FlagGroup;
  readonly hidden?: true;
}

/** One thing that can be configured. File, environment, arguments and documentation are all derived from this. */
export interface Option {
  readonly type: ValueType<unknown>;
  /** As it would stand in the file; missing where there is none, or where it depends on other options. */
  readonly default?: string;
  /** In words: what holds where nothing is given and there is no default. */
  readonly otherwise?: string;
  /** One sentence without a full stop. */
  readonly help: string;
  readonly flag?: OptionFlag;
  readonly switches?: readonly Switch[];
  /** Outputs it applies to, where not all. */
  readonly outputs?: readonly OutputType[];
}

/** The collectors by the names users know them by. */
const collectors: Readonly<Record<string, CollectorName>> = {
  cpu: 'cpu',
  mem: 'mem',
  disk: 'disk',
  net: 'net',
  io: 'io',
  pressure: 'psi',
  host: 'host',
  psi: 'psi',
};

const what = 'What to measure';
const where = 'Where to send it';
const often = 'How often';
const found = 'Where the VMs are found';
const information = 'Configuration and information';

/** What to print: set for all outputs at once, and by an [output.NAME] for itself. */
export const printing = {
  verbose: {
    type: truth,
    default: 'false',
    help: 'also the metrics that --list-metrics marks verbose',
    flag: { group: what },
  },
  devices: {
    type: truth,
    default: 'false',
    help: 'also a row for each vCPU, disk and NIC',
    flag: { group: what },
  },
  human: {
    type: truth,
    default: 'false',
    help: 'sizes for people, such as 3.2 GiB (text printer only)',
    flag: { group: where, alias: 'H' },
  },
  names: {
    type: choice(['proxtop', 'original']),
    default: 'proxtop',
    help: 'ids and units: our own, or those of the original Go program',
    flag: { group: where, placeholder: 'WHOSE' },
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Which part of each sample an output gets; only in an [output.NAME]. */
export const selecting = {
  collectors: {
    type: choices(collectors),
    otherwise: 'all that measure',
    help: 'whose values to print, of the collectors that measure',
  },
  include: {
    type: names,
    otherwise: 'all VMs',
    help: 'VMs to print: names with * and ?, vmids, UUIDs, tag:NAME for tags',
  },
  exclude: { type: names, otherwise: 'none', help: 'VMs not to print, in the same way' },
} as const satisfies Readonly<Record<string, Option>>;

/** Keys at the top of the file. */
const general = {
  frequency: {
    type: decimal(0.1, 86400, 'seconds'),
    default: '1',
    help: 'seconds between two samples; fractions from 0.1',
    flag: { group: often, alias: 'f', placeholder: 'SECONDS' },
  },
  runs: {
    type: times,
    default: 'endless',
    help: 'end after so many samples',
    flag: { group: often, alias: 'r', placeholder: 'N' },
  },
  detail_interval: {
    type: decimal(0.1, 86400, 'seconds'),
    otherwise: '5; with libvirt 10',
    help: "seconds between two questions to a VM's monitor; never less than the frequency",
    flag: { group: often, placeholder: 'SECONDS' },
  },
  collectors: {
    type: choices(collectors),
    default: 'cpu, mem, disk, net, io',
    help: 'what to measure: cpu, mem, disk, net, io, pressure, host',
    switches: [
      { name: 'cpu', value: 'cpu', group: what, help: 'CPU time used, and time spent waiting for a CPU' },
      { name: 'mem', value: 'mem', group: what, help: 'memory of the VM as host and guest see it' },
      { name: 'disk', value: 'disk', group: what, help: 'disk operations, throughput and latency' },
      { name: 'net', value: 'net', group: what, help: 'network traffic, errors and drops' },
      { name: 'io', value: 'io', group: what, help: 'I/O of the QEMU process; needs root' },
      {
        name: 'pressure',
        alias: 'psi',
        value: 'pressure',
        group: what,
        help: 'pressure stall information (kernel 4.20)',
      },
      { name: 'host', value: 'host', group: what, help: 'name, kernel and uptime of the host' },
    ],
  },
  netdev: {
    type: names,
    otherwise: 'all physical ones',
    help: 'interfaces the network sums of the host run over',
    flag: { group: what, placeholder: 'NAMES' },
  },
  storedev: {
    type: names,
    otherwise: 'all physical ones',
    help: 'devices the disk sums of the host run over',
    flag: { group: what, placeholder: 'NAMES' },
  },
  ...printing,
  log_level: {
    type: choice(['debug', 'info', 'warn', 'error']),
    default: 'info',
    help: 'least important messages to log: debug, info, warn or error',
    flag: { group: information, placeholder: 'LEVEL' },
  },
  procfs: {
    type: text('a directory'),
    default: defaultRoots.procfs,
    help: 'where procfs is mounted',
    flag: { group: found, placeholder: 'DIR' },
  },
  sysfs: {
    type: text('a directory'),
    default: defaultRoots.sysfs,
    help: 'where sysfs is mounted',
    flag: { group: found, placeholder: 'DIR' },
  },
  cgroupfs: {
    type: text('a directory'),
    default: defaultRoots.cgroupfs,
    help: 'where cgroup v2 is mounted',
    flag: { group: found, placeholder: 'DIR' },
  },
  rundir: {
    type: text('a directory'),
    default: defaultRoots.rundir,
    help: 'runtime directory, with the pid files and monitor sockets of the VMs',
    flag: { group: found, placeholder: 'DIR' },
  },
  pvedir: {
    type: text('a directory'),
    default: defaultRoots.pvedir,
    help: 'cluster file system of Proxmox VE, with the configuration of the VMs',
    flag: { group: found, placeholder: 'DIR' },
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Keys of [connector]. */
const connector = {
  type: {
    type: choice(['auto', 'proxmox', 'libvirt', 'qemu']),
    default: 'auto',
    help: 'who knows the VMs: proxmox, libvirt, qemu (the processes themselves), or auto for the first of these that is found here',
    switches: [
      {
        name: 'proxmox',
        value: 'proxmox',
        group: found,
        help: 'this is a Proxmox VE host; do not look for others',
      },
      {
        name: 'libvirt',
        value: 'libvirt',
        group: found,
        help: 'libvirt runs the VMs; do not look for others',
      },
      {
        name: 'qemu',
        value: 'qemu',
        group: found,
        help: 'take every QEMU process, whoever started it; do not look for others',
      },
    ],
  },
  connection: {
    type: libvirtUri,
    default: 'qemu:///system',
    help: 'libvirt to connect to, by unix socket, ssh, tcp or tls; one that is given means libvirt',
    flag: { group: found, alias: 'c', placeholder: 'URI' },
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Keys of [output.NAME] besides those of `printing` and `selecting`. */
const output = {
  type: {
    type: choice(outputTypes),
    otherwise: 'stdout; where there is a target, http for a URL and tcp for others',
    help: `destination: ${listed(outputTypes)}`,
    flag: { group: where, name: 'output', alias: 'o', placeholder: 'TYPE' },
  },
  target: {
    type: text('a path for a file, host:port for tcp and udp, a URL for http'),
    help: 'host:port or [IPv6]:port for tcp and udp, a path for file, a URL for http',
    flag: { group: where, placeholder: 'TARGET' },
    outputs: ['file', 'tcp', 'udp', 'http'],
  },
  printer: {
    type: choice(printerNames),
    otherwise: 'text on stdout, json elsewhere',
    help: `format: ${listed(printerNames)}`,
    flag: { group: where, alias: 'p', placeholder: 'FORMAT' },
  },
  layout: {
    type: choice(['cycle', 'event']),
    otherwise: 'cycle; influx over http event; udp always event',
    help: 'records of json: cycle, one for each sample, or event, one for each row',
    flag: { group: where, placeholder: 'LAYOUT' },
  },
  queue_bytes: {
    type: bytes('64K', '16G'),
    default: '64M',
    help: 'how much may wait in memory for a destination that does not take it',
    outputs: ['file', 'tcp', 'http'],
  },
  when_full: {
    type: choice(['drop_oldest', 'drop_newest']),
    default: 'drop_oldest',
    help: 'what is given up when the queue is full: drop_oldest or drop_newest',
    outputs: ['file', 'tcp', 'http'],
  },
  timeout: {
    type: decimal(1, 3600, 'seconds'),
    default: '30',
    help: 'seconds without progress, or for http without answer, after which a connection is given up and made anew',
    outputs: ['tcp', 'http'],
  },
  max_datagram: {
    type: integer(64, 65507),
    default: '65507',
    help: 'bytes of the longest line to send; above 1472 a datagram travels Ethernet in fragments',
    outputs: ['udp'],
  },
  precision: {
    type: choice(['ns', 'ms', 's']),
    otherwise: 'ns',
    help: 'unit of the timestamps (influx printer only); the URL of a write to InfluxDB is made to agree',
  },
  batch_records: {
    type: integer(1, 1_000_000),
    default: '5000',
    help: 'records that one request holds at most',
    outputs: ['http'],
  },
  batch_bytes: {
    type: bytes('1K', '64M'),
    default: '1M',
    help: 'size of the records that one request holds at most, before gzip; one larger record goes alone',
    outputs: ['http'],
  },
  batch_age: {
    type: decimal(0, 3600, 'seconds'),
    default: '0',
    help: 'seconds to wait for more records before a request that is not full is sent',
    outputs: ['http'],
  },
  body: {
    type: choice(['lines', 'array']),
    default: 'lines',
    help: 'how json records become the body of a request: lines, or one JSON array',
    outputs: ['http'],
  },
  gzip: { type: truth, default: 'true', help: 'compress the body of a request', outputs: ['http'] },
  headers: {
    type: headers,
    help: 'headers to add to each request, as Name: value, separated by commas',
    outputs: ['http'],
  },
  username: { type: text('a name'), help: 'user name for basic authentication', outputs: ['http'] },
  password: { type: text('a password'), help: 'password of that user', outputs: ['http'] },
  token: { type: text('a token'), help: 'token to send with each request', outputs: ['http'] },
  token_file: {
    type: text('a path'),
    otherwise: 'the credential of systemd under the name of the output, if there is one',
    help: 'file that holds the token or, with a username, the password; read anew for each request',
    outputs: ['http'],
  },
  tls_ca: {
    type: text('a path'),
    otherwise: 'the authorities that Node.js knows',
    help: 'file with the certificates of the authorities to trust, PEM',
    outputs: ['http'],
  },
  tls_cert: { type: text('a path'), help: 'file with our own certificate, PEM', outputs: ['http'] },
  tls_key: { type: text('a path'), help: 'file with the key of our own certificate, PEM', outputs: ['http'] },
  tls_servername: {
    type: text('a name'),
    otherwise: 'the host of the target',
    help: "name that the peer's certificate must be for",
    outputs: ['http'],
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Every option there is, by section and key. */
export const schema = { general, connector, output } as const;
export type SectionName = keyof typeof schema;
export const sectionNames: readonly SectionName[] = ['general', 'connector', 'output'];

/** The options of a section, where their exact types do not matter. */
export function optionsOf(section: SectionName): Readonly<Record<string, Option>> {
  return schema[section];
}

export const environmentPrefix = 'PROXTOP_';

/** The environment variable of an option: PROXTOP_ and its key; a type goes by the name of its section. */
export function environmentName(section: SectionName, key: string): string {
  return `${environmentPrefix}${(key === 'type' ? section : key).toUpperCase()}`;
}

/** Whether an option has a meaning for outputs of a type. */
export function appliesTo(option: Option, type: string): boolean {
  return option.outputs?.some((each) => each === type) ?? true;
}
