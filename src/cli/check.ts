import type { Roots } from '../kernel/base/paths.ts';
import { nowhere, Paths } from '../kernel/base/paths.ts';
import { cgroupTrouble } from '../kernel/pid/proc-pid-cgroup.ts';
import { allOutputs } from '../config/settings.ts';
import type { Settings, WatchedNodes } from '../config/settings.ts';
import { resolveThresholds } from '../config/thresholds.ts';
import type { Thresholds } from '../config/thresholds.ts';
import type { Selection } from '../delivery/selection.ts';
import type {
  HttpSettings,
  OutputSettings,
  PrintedSettings,
  PrometheusSettings,
  QueueSettings,
  RotationSettings,
  SpoolSettings,
  TcpSettings,
} from '../delivery/settings.ts';

const rootNames = ['procfs', 'sysfs', 'cgroupfs', 'rundir', 'pvedir'] as const;

/**
 * The text of `--check`: what would run with these settings.
 *
 * @param more lines that belong to another program
 * @param service the settings that a service would have
 */
export function describeSettings(
  settings: Settings,
  more: readonly (readonly [string, string])[] = [],
  service = settings,
): string {
  const {
    frequency,
    runs,
    detailInterval,
    latencyHistogram,
    collectors,
    netdev,
    storedev,
    nicRows,
    diskRows,
    connector,
    connection,
    guests,
    roots,
    logLevel,
    stateDir,
    replay,
    watched,
    thresholds,
  } = settings;
  const all = allOutputs(settings);
  const isInService = ({ name }: OutputSettings): boolean =>
    allOutputs(service).some((output) => output.name === name);
  const rows: (readonly [string, string])[] = [
    ['sample', `every ${seconds(frequency)}, ${runs === Infinity ? 'endless' : `${runs} times`}`],
    [
      'poll monitors',
      detailInterval === undefined
        ? 'every 10 seconds, or with each sample where that is less often'
        : `every ${seconds(detailInterval)}`,
    ],
    [
      'measure',
      `${collectors.join(', ')}${latencyHistogram ? '; QEMU is told to keep latency histograms' : ''}`,
    ],
    ['host NICs', `sums over ${chosen(netdev, 'all physical ones')}; rows of ${chosen(nicRows, 'the same')}`],
    [
      'host disks',
      `sums over ${chosen(storedev, 'all physical ones')}; rows of ${chosen(diskRows, 'the usual ones')}`,
    ],
    [
      'connector',
      connector === 'libvirt' || connector === 'auto' ? `${connector}, libvirt at ${connection}` : connector,
    ],
    ['guests', guests === 'all' ? 'VMs and containers' : guests === 'vms' ? 'VMs only' : 'containers only'],
    ...rootNames.map((name) => [name, describeRoot(roots, name)] as const),
    ['state_dir', stateDir],
    ['log', `${logLevel} and above`],
    ...describeThresholds(thresholds).map((text) => ['thresholds', text] as const),
    ...(watched === undefined ? [] : [['nodes', describeNodes(watched)] as const]),
    ...(replay === undefined ? [] : [['replay', replay] as const]),
    ['history', describeHistory(settings.history, service.history)],
    ...more,
    ...(all.length === 0
      ? [['output', service.history === undefined ? `none: ${waiting}` : 'none'] as const]
      : []),
    ...all.map((output) =>
      isInService(output)
        ? ([`output ${output.name}`, describeOutput(output)] as const)
        : (['output', `${notInService(service)} ${describeOutput(output)}`] as const),
    ),
  ];
  const column = Math.max(...rows.map(([name]) => name.length)) + 2;
  return `The configuration is valid. It runs:\n${rows.map(([name, value]) => `  ${name.padEnd(column)}${value}\n`).join('')}`;
}

const waiting = 'a service waits until an [output.NAME] is configured';

/** Said of the output that is there where none is described, before what it is. */
function notInService({ history }: Settings): string {
  return `as a service none${history === undefined ? ', it waits for an [output.NAME]' : ''}; from a shell`;
}

/** @param here from a shell; `inService` as a service */
function describeHistory(here: Settings['history'], inService: Settings['history']): string {
  const kept = here ?? inService;
  if (kept === undefined) return 'none';
  const { interval, keep, maxBytes, directory } = kept;
  const hours = keep % 86_400 === 0 ? `${keep / 86_400} days` : `${keep / 3600} hours`;
  const text = `means over ${seconds(interval)} of all that is measured, kept for ${hours}, up to ${sizeText(maxBytes)} in ${directory}`;
  return here === undefined ? `from a shell none; as a service ${text}` : text;
}

/** The devices that somebody chose. @param usual those that are taken where no name says which */
function chosen(names: readonly string[] | undefined, usual: string): string {
  if (names === undefined) return usual;
  return names.every((name) => name.startsWith('!')) ? `${usual}, ${names.join(', ')}` : names.join(', ');
}

/** Those that differ from the defaults, in one line; none where none does. */
function describeThresholds(thresholds: Thresholds): readonly string[] {
  const defaults = resolveThresholds(new Map());
  const changed = [...thresholds]
    .filter(([id, { warn, bad }]) => {
      const usual = defaults.get(id);
      return !Object.is(usual?.warn, warn) || usual?.bad !== bad;
    })
    .map(([id, { warn, bad }]) => `${id} ${Number.isNaN(warn) ? bad : `${warn}/${bad}`}`);
  const off = [...defaults.keys()].filter((id) => !thresholds.has(id)).map((id) => `${id} off`);
  const all = [...changed, ...off].join(', ');
  return all === '' ? [] : [`${all}; the defaults for all else`];
}

function describeNodes(watched: WatchedNodes): string {
  if (watched === 'cluster') return 'all of the cluster of Proxmox VE';
  return watched.map(({ user, name }) => (user === undefined ? name : `${user}@${name}`)).join(', ');
}

function describeRoot(roots: Roots, name: keyof Roots): string {
  if (roots[name] === nowhere[name]) return 'not read, the VMs run elsewhere';
  return name === 'cgroupfs' ? describeCgroups(new Paths(roots)) : roots[name];
}

function describeCgroups(paths: Paths): string {
  const trouble = cgroupTrouble(paths);
  return trouble === undefined ? paths.cgroupMount : `${paths.roots.cgroupfs}; not read: ${trouble}`;
}

function describeOutput(output: OutputSettings): string {
  const { print } = output;
  const parts = [destination(output)];
  if (output.type !== 'prometheus') {
    parts.push(describePrinter(output));
    if (output.interval !== undefined) {
      const peaks = output.print.peaks === true ? ', with maxima' : '';
      const what = output.printer === 'otlp' ? 'every' : 'means over';
      parts.push(`${what} ${seconds(output.interval)}${peaks}`);
    }
    if (output.printer === 'esxtop') return parts.concat(describeSelection(output.select ?? {})).join('; ');
  }
  if (print.verbose) parts.push('verbose metrics');
  if (print.devices) parts.push('rows of devices');
  if (output.type !== 'prometheus') {
    if (output.print.human && output.printer === 'text') parts.push('aligned, with sizes for people');
    if (output.print.names === 'original') parts.push('names of the original');
  }
  if (output.select !== undefined) parts.push(...describeSelection(output.select));
  return parts.join('; ');
}

/** The printer, and what a record of it is; lines of text are the same either way. */
function describePrinter({ printer, print: { layout, precision = 'ns' } }: PrintedSettings): string {
  const unit = layout === 'cycle' ? 'cycle' : 'row';
  switch (printer) {
    case 'json':
      return `json, one line for each ${unit}`;
    case 'msgpack':
      return `msgpack, one map for each ${unit}`;
    case 'influx':
      return `influx, timestamps in ${precision}`;
    case 'esxtop':
      return "esxtop's wide CSV, one line for each cycle";
    case 'remote-write':
      return 'remote-write, the series of the page for Prometheus';
    case 'otlp':
      return 'otlp, metrics of OpenTelemetry in protobuf';
    case 'csv':
    case 'text':
      return printer;
  }
}

function describeSelection({ collectors, include, exclude }: Selection): string[] {
  return [
    ...(collectors === undefined ? [] : [`only ${collectors.join(', ')}`]),
    ...(include === undefined ? [] : [`only VMs ${include.join(', ')}`]),
    ...(exclude === undefined ? [] : [`without VMs ${exclude.join(', ')}`]),
  ];
}

function destination(output: OutputSettings): string {
  switch (output.type) {
    case 'stdout':
      return 'standard output';
    case 'file':
      return `file ${output.path}; ${describeQueue(output.queue)}${describeRotation(output.rotation)}`;
    case 'tcp':
      return `tcp to ${address(output)}${describeTls(output)}; ${describeQueue(output.queue)}${describeSpool(output.spool)}; given up after ${seconds(output.timeout)} without progress`;
    case 'udp':
      return `udp to ${address(output)}; datagrams up to ${output.maxDatagram} bytes`;
    case 'http':
      return `${describeRequests(output)}; ${describeQueue(output.queue)}${describeSpool(output.spool)}; given up after ${seconds(output.timeout)} without answer`;
    case 'prometheus':
      return describeEndpoint(output);
  }
}

function describeEndpoint({ tls, credentials, timeout, ...listen }: PrometheusSettings): string {
  const { username, token, tokenFile } = credentials;
  const secret = username ?? token ?? tokenFile;
  return [
    `prometheus at http${tls === undefined ? '' : 's'}://${address(listen)}/metrics`,
    ...(secret === undefined
      ? []
      : [username === undefined ? 'for who has the token' : `for user ${username}`]),
    `scrapers cut off after ${seconds(timeout)}`,
  ].join(', ');
}

/** Nothing of the query but the names: it may hold a password. */
function describeRequests({ url, batch, gzip, body }: HttpSettings): string {
  const { origin, pathname, searchParams } = new URL(url);
  const query = [...searchParams.keys()].map((name) => `${name}=...`).join('&');
  return [
    `http to ${origin}${pathname}${query === '' ? '' : `?${query}`}`,
    `requests of up to ${batch.records} records or ${sizeText(batch.bytes)}`,
    ...(batch.age > 0 ? [`after ${seconds(batch.age)} at most`] : []),
    ...(body === 'array' ? ['JSON arrays'] : []),
    ...(gzip ? ['gzip'] : []),
  ].join(', ');
}

function describeQueue({ maxBytes, whenFull }: QueueSettings): string {
  return `queue of ${sizeText(maxBytes)}, ${whenFull} when full`;
}

function describeSpool(spool: SpoolSettings | undefined): string {
  if (spool === undefined) return '';
  const { directory, maxBytes, sync } = spool;
  return `; spool of ${sizeText(maxBytes)} in ${directory}, synced after ${seconds(sync)}`;
}

function describeRotation(rotation: RotationSettings | undefined): string {
  return rotation === undefined ? '' : `; put aside at ${sizeText(rotation.size)}, ${rotation.keep} kept`;
}

function describeTls({ tls }: TcpSettings): string {
  return tls === undefined ? '' : ' with TLS';
}

function address({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function sizeText(bytes: number): string {
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20} MiB` : `${bytes} bytes`;
}

export function seconds(count: number): string {
  return count === 1 ? 'second' : `${count} seconds`;
}
