import type { Roots } from '../kernel/base/paths.ts';
import { defaultRoots, nowhere } from '../kernel/base/paths.ts';
import { parseUri } from '../libvirt/uri.ts';
import type { FileSettings, OutputSettings } from '../delivery/settings.ts';
import { collectorNames } from '../catalogue/catalogue.ts';
import { historyDirectory } from '../history/files.ts';
import { ConfigError } from './errors.ts';
import { overlay, readValues } from './layers/given.ts';
import type { Given, GivenMap } from './layers/given.ts';
import { resolveHistory } from './history.ts';
import type { EnvironmentLayer, FileLayer, Layer } from './layers/layer.ts';
import { recordSettings, resolveOutputs } from './outputs.ts';
import { isSameFile } from './check/rivals.ts';
import { schema, theHistory } from './schema/schema.ts';
import type { Settings, WatchedNodes } from './settings.ts';
import { resolveThresholds } from './thresholds.ts';

/**
 * What a history holds where nobody chose collectors: what a view of the past and its verdicts need. Sensors and energy are read
 * from hardware, which somebody should have asked for.
 */
const usuallyKept = collectorNames.filter((name) => name !== 'sensors' && name !== 'energy');

/**
 * The settings of a run: defaults < file < environment < arguments. Throws a ConfigError for the first value that is
 * wrong or contradicts another one.
 */
export function resolveSettings(
  file: FileLayer | undefined,
  environment: EnvironmentLayer,
  args: Layer,
): Settings {
  const none = new Map<string, Given>();
  const given = overlay(environment.provided, file?.general ?? none, environment.general, args.general);
  const values = readValues(schema.general, given);
  const connection = overlay(file?.connector ?? none, environment.connector, args.connector);
  const connector = readValues(schema.connector, connection);
  const collectors = collectorNames.filter((name) => values.collectors.includes(name));
  const { procfs, sysfs, cgroupfs, rundir, pvedir } = values;
  const roots = { procfs, sysfs, cgroupfs, rundir, pvedir };
  const type = connectorType(connector.type, connection);
  const record = recordOutput(given.get('record'), values.record);
  const outputs = resolveOutputs(file, environment, args, {
    measured: collectors,
    stateDir: values.state_dir,
    frequency: values.replay === undefined ? values.frequency : undefined,
    record,
  });
  refuseReplayed(values.replay, given, record === undefined ? outputs : [...outputs, record.settings]);
  const history = resolveHistory(overlay(file?.history ?? none, environment.history, args.history), {
    // That of a service which watches several hosts would be of this one alone.
    service: environment.service && values.hosts === undefined && !values.cluster,
    stateDir: values.state_dir,
    frequency: values.frequency,
    collectors: given.has('collectors') ? collectors : usuallyKept,
  });
  const watched = watchedNodes(values, given, history !== undefined);
  const kept = values.replay === undefined ? history : undefined;
  const isElsewhere = type === 'libvirt' && parseUri(connector.connection).transport !== 'unix';
  return {
    frequency: values.frequency,
    runs: values.runs,
    detailInterval: detailInterval(values.frequency, values.detail_interval, given),
    latencyHistogram: values.latency_histogram,
    collectors,
    netdev: values.netdev,
    storedev: values.storedev,
    nicRows: values.nic_rows,
    diskRows: values.disk_rows,
    connector: type,
    connection: connector.connection,
    guests: connector.guests,
    roots: isElsewhere ? mountedHere(roots, given) : roots,
    runDir: isElsewhere ? defaultRoots.rundir : rundir,
    stateDir: values.state_dir,
    logLevel: values.log_level,
    outputs,
    record: record?.settings,
    history: kept,
    replay: values.replay === theHistory ? historyDirectory(values.state_dir) : values.replay,
    watched,
    thresholds: resolveThresholds(file?.thresholds ?? none),
  };
}

function recordOutput(
  given: Given | undefined,
  path: string | undefined,
): { readonly origin: string; readonly settings: FileSettings } | undefined {
  return given === undefined || path === undefined
    ? undefined
    : { origin: given.origin, settings: recordSettings(path) };
}

/** Which hosts are watched together. Throws a ConfigError for what cannot be together with that. */
function watchedNodes(
  {
    hosts,
    cluster,
    frequency,
    replay,
  }: {
    readonly hosts: Exclude<WatchedNodes, 'cluster'> | undefined;
    readonly cluster: boolean;
    readonly frequency: number;
    readonly replay: string | undefined;
  },
  given: GivenMap,
  keepsHistory: boolean,
): WatchedNodes | undefined {
  const watched = cluster ? 'cluster' : hosts;
  if (watched === undefined) return undefined;
  const origin = given.get(cluster ? 'cluster' : 'hosts')?.origin ?? '';
  const rival = (key: string): string => given.get(key)?.origin ?? key;
  if (cluster && hosts !== undefined)
    throw new ConfigError(`${origin}: excluded by ${rival('hosts')}; give one of them`);
  if (replay !== undefined)
    throw new ConfigError(
      `${origin}: excluded by ${rival('replay')}, as a recording contains its own nodes; give one of them`,
    );
  if (frequency !== 1)
    throw new ConfigError(
      `${origin}: nodes send one sample a second, but ${rival('frequency')} says every ${frequency} seconds; set interval of an output for means`,
    );
  if (keepsHistory)
    throw new ConfigError(`${origin}: a history covers one host; let the service of each node keep its own`);
  return watched;
}

/** What is replayed into itself has no end. */
function refuseReplayed(
  replay: string | undefined,
  given: GivenMap,
  outputs: readonly OutputSettings[],
): void {
  const rival = outputs.find((output) => output.type === 'file' && isSameFile(output.path, replay ?? ''));
  if (replay === undefined || rival === undefined) return;
  const origin = given.get('replay')?.origin ?? 'replay';
  throw new ConfigError(`${origin}: output ${rival.name} writes to that file; choose another one`);
}

/** A connection to libvirt that was given says that it is libvirt that is asked. */
function connectorType(type: Settings['connector'], given: GivenMap): Settings['connector'] {
  const connection = given.get('connection');
  if (connection === undefined || type === 'libvirt') return type;
  if (type === 'auto') return 'libvirt';
  const cause = given.get('type')?.origin ?? 'type';
  throw new ConfigError(
    `${connection.origin}: found "${connection.text}", but ${cause} says ${type}; give one of them`,
  );
}

/**
 * Of a host elsewhere only what is mounted here can be read, and only where that was given: what this host's own files
 * say must not pass for that of another one.
 */
function mountedHere(roots: Roots, given: GivenMap): Roots {
  const known = (root: keyof Roots): string => (given.has(root) ? roots : nowhere)[root];
  return {
    procfs: known('procfs'),
    sysfs: known('sysfs'),
    cgroupfs: known('cgroupfs'),
    rundir: known('rundir'),
    pvedir: known('pvedir'),
  };
}

/** A value that was given must not be below the frequency. */
function detailInterval(frequency: number, interval: number | undefined, all: GivenMap): number | undefined {
  const given = all.get('detail_interval');
  if (given === undefined || interval === undefined || interval >= frequency) return interval;
  const cause = all.get('frequency')?.origin ?? 'frequency';
  throw new ConfigError(
    `${given.origin}: found "${given.text}", expected the frequency or more, which is ${frequency} seconds (${cause})`,
  );
}
