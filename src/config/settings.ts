import type { Roots } from '../kernel/base/paths.ts';
import type { MeasuringName } from '../catalogue/catalogue.ts';
import type { FileSettings, OutputSettings } from '../delivery/settings.ts';
import type { HistorySettings } from '../history/settings.ts';
import type { NodeAddress } from '../cluster/node-source.ts';
import type { Thresholds } from './thresholds.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Which hosts are watched together: those of a list, or all of the cluster of Proxmox VE that this one is in. */
export type WatchedNodes = readonly NodeAddress[] | 'cluster';

/** Everything a run of proxtop needs to know, checked and complete: the result of defaults, file, environment and arguments. */
export interface Settings {
  /** Seconds between samples, 0.1 or more. */
  readonly frequency: number;
  /** Samples after which the program ends; Infinity for none. */
  readonly runs: number;
  /** Seconds between two polls of the same monitor, at least the frequency; undefined for the connector's default. */
  readonly detailInterval: number | undefined;
  /** Whether QEMU is told to count the latencies of disks in histograms. */
  readonly latencyHistogram: boolean;
  /** In the order of the catalogue. */
  readonly collectors: readonly MeasuringName[];
  /** Interfaces the host sums run over, in the words of DeviceChoice as the three below; undefined for all physical ones. */
  readonly netdev: readonly string[] | undefined;
  /** Devices the host sums run over; undefined for all physical ones. */
  readonly storedev: readonly string[] | undefined;
  /** Interfaces of the host that have a row; undefined for those in the sums. */
  readonly nicRows: readonly string[] | undefined;
  /** Block devices of the host that have a row; undefined for the usual ones. */
  readonly diskRows: readonly string[] | undefined;
  readonly connector: 'auto' | 'proxmox' | 'libvirt' | 'qemu';
  /** libvirt's URI. */
  readonly connection: string;
  readonly guests: 'all' | 'vms' | 'containers';
  /** Of the host the VMs run on. */
  readonly roots: Roots;
  /** The runtime directory of the host this runs on. */
  readonly runDir: string;
  /** Directory for persistent data. */
  readonly stateDir: string;
  readonly logLevel: LogLevel;
  readonly outputs: readonly OutputSettings[];
  /** The file that all samples are written to besides; undefined for none. */
  readonly record: FileSettings | undefined;
  /** What this host keeps of its samples; undefined for nothing. */
  readonly history: HistorySettings | undefined;
  /** The file that samples are taken from; undefined for the VMs that run. */
  readonly replay: string | undefined;
  /** Undefined for this host alone. */
  readonly watched: WatchedNodes | undefined;
  /** Levels from which the terminal view marks a value as a warning or bad. */
  readonly thresholds: Thresholds;
}

/** The collectors that run: those of the outputs, which the history may add to. In the order of the catalogue. */
export function measured({ collectors, history }: Settings): readonly MeasuringName[] {
  return history?.collectors ?? collectors;
}

/** The outputs of a run, with the file that it records to. */
export function allOutputs({ outputs, record }: Settings): readonly OutputSettings[] {
  return record === undefined ? outputs : [...outputs, record];
}
