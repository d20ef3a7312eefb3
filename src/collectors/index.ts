import type { Paths } from '../kernel/base/paths.ts';
import type { MeasuringName } from '../catalogue/catalogue.ts';
import { collectorNames } from '../catalogue/catalogue.ts';
import type { Collector, Wanted } from './collector.ts';
import { CpuCollector } from './cpu/cpu.ts';
import { DiskCollector } from './disk/disk.ts';
import { EnergyCollector } from './energy.ts';
import { HostCollector } from './host.ts';
import { IoCollector } from './io/io.ts';
import { MemCollector } from './mem/mem.ts';
import { NetCollector } from './net/net.ts';
import { PressureCollector } from './pressure.ts';
import { SensorCollector } from './sensors.ts';

/** What the collectors are told when they are made. */
interface CollectorSettings {
  readonly wanted: Wanted;
  /** Interfaces the host sums run over; undefined for all physical ones. */
  readonly netdev: readonly string[] | undefined;
  /** Block devices the host sums run over; undefined for all physical ones. */
  readonly storedev: readonly string[] | undefined;
  /** Interfaces and block devices of the host that have a row; undefined for the usual ones. */
  readonly nicRows?: readonly string[] | undefined;
  readonly diskRows?: readonly string[] | undefined;
}

/** Every collector there is. */
const registry: Readonly<Record<MeasuringName, (paths: Paths, settings: CollectorSettings) => Collector>> = {
  cpu: (paths, { wanted }) => new CpuCollector(paths, wanted),
  mem: (paths, { wanted }) => new MemCollector(paths, wanted),
  disk: (paths, { wanted, storedev, diskRows }) => new DiskCollector(paths, wanted, storedev, diskRows),
  net: (paths, { wanted, netdev, nicRows }) => new NetCollector(paths, wanted, netdev, nicRows),
  io: (paths) => new IoCollector(paths),
  pressure: (paths) => new PressureCollector(paths),
  host: (paths) => new HostCollector(paths),
  sensors: (paths, { wanted }) => new SensorCollector(paths, wanted),
  energy: (paths, { wanted }) => new EnergyCollector(paths, wanted),
};

/** Makes the named collectors, in the order of the catalogue. */
export function createCollectors(
  names: readonly MeasuringName[],
  paths: Paths,
  settings: CollectorSettings,
): Collector[] {
  return collectorNames.filter((name) => names.includes(name)).map((name) => registry[name](paths, settings));
}
