import { growth } from '../kernel/base/counters.ts';
import type { Cgroup } from '../kernel/sys/cgroup/cgroup.ts';
import { KernelFile } from '../kernel/base/kernel-file.ts';
import type { Paths } from '../kernel/base/paths.ts';
import { Pressure, parsePressure, pressureCounters } from '../kernel/proc/proc-pressure.ts';
import { readRecord } from '../kernel/base/read.ts';
import { slots } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';
import type { Collector, HostTarget, GuestTarget } from './collector.ts';
import { PerGuest } from './per-guest.ts';
import { Readings, now } from './readings.ts';
import { SlowBeat } from './slow-beat.ts';

const hostSlots = slots('pressure', 'host');
/** The resources with pressure, as the metric ids name them. */
const resources = ['cpu', 'io', 'mem'] as const;
type Resource = (typeof resources)[number];
const fileNames: Readonly<Record<Resource, 'cpu' | 'io' | 'memory'>> = {
  cpu: 'cpu',
  io: 'io',
  mem: 'memory',
};
const shares = ['some', 'full'] as const;
const { someTotal, fullTotal } = pressureCounters;

/** Where the averages of a VM go: some and full of each resource. */
const vmSlots = slots('pressure', 'vm');
const vmAverages = resources.flatMap((resource) =>
  shares.map((share) => vmSlots[`psi_${share}_${resource}_avg10`]),
);

/** The pressure on one resource at one instant. */
export class PressureReading {
  /** Monotonic seconds. */
  time = NaN;
  readonly pressure = new Pressure();
}

/** Sets the stall time per second between two readings, in us. Source: Documentation/accounting/psi.rst. */
export function derivePressure(
  previous: PressureReading,
  current: PressureReading,
  resource: Resource,
  row: Row,
): void {
  const elapsed = current.time - previous.time;
  for (const share of shares) {
    const stalled = growth(
      previous.pressure.counters,
      current.pressure.counters,
      pressureCounters[`${share}Total`],
    );
    row.values[hostSlots[`psi_${share}_${resource}_total`]] = stalled / elapsed;
  }
}

/** Pressure stall information: of the host, and of each VM that has a cgroup of its own. */
export class PressureCollector implements Collector {
  readonly name = 'pressure';
  private readonly host: readonly HostPressure[];
  private readonly vms = new PerGuest(({ guest: { sources } }) =>
    sources.pressure === undefined ? undefined : new VmPressure(sources.pressure),
  );

  constructor(paths: Paths) {
    this.host = resources.map((resource) => new HostPressure(paths, resource));
  }

  collect({ row }: HostTarget, vms: readonly GuestTarget[], attend?: () => void): void {
    for (const pressure of this.host) pressure.collect(row);
    const time = now();
    for (const target of vms) {
      attend?.();
      this.vms.of(target)?.collect(target.row, time);
    }
  }

  close(): void {
    for (const pressure of this.host) pressure.close();
  }
}

/** The averages of one VM's cgroup. The kernel updates them every 2 s, so reading them more often shows nothing new. */
class VmPressure {
  private readonly files: readonly KernelFile[];
  private readonly pressure = new Pressure();
  private readonly beat = new SlowBeat(2);
  /** some and full of each resource, in their order. */
  private readonly averages = new Float64Array(2 * resources.length);
  private readonly totals = new Float64Array(2 * resources.length);

  constructor({ cpuPressure, ioPressure, memoryPressure }: Cgroup) {
    this.files = [cpuPressure, ioPressure, memoryPressure];
  }

  /** @param time monotonic seconds */
  collect(row: Row, time: number): void {
    if (this.beat.due(time)) this.read();
    vmAverages.forEach((slot, index) => {
      row.values[slot] = this.averages[index] as number;
      row.counters[slot] = this.totals[index] as number;
    });
  }

  private read(): void {
    const { averages, totals, pressure } = this;
    this.files.forEach((file, resource) => {
      const known = readRecord(file, parsePressure, pressure);
      averages[2 * resource] = known ? pressure.someAvg10 : NaN;
      averages[2 * resource + 1] = known ? pressure.fullAvg10 : NaN;
      totals[2 * resource] = known ? pressure.counters.value(someTotal) : NaN;
      totals[2 * resource + 1] = known ? pressure.counters.value(fullTotal) : NaN;
    });
  }
}

class HostPressure {
  private readonly file: KernelFile;
  private readonly readings = new Readings(() => new PressureReading());

  constructor(
    paths: Paths,
    private readonly resource: Resource,
  ) {
    this.file = new KernelFile(paths.proc(`pressure/${fileNames[resource]}`));
  }

  collect(row: Row): void {
    const { readings, resource } = this;
    if (!readRecord(this.file, parsePressure, readings.spare.pressure)) return;
    readings.spare.time = now();
    readings.commit();
    const { pressure } = readings.current;
    for (const share of shares) {
      row.values[hostSlots[`psi_${share}_${resource}_avg10`]] = pressure[`${share}Avg10`];
      row.values[hostSlots[`psi_${share}_${resource}_avg60`]] = pressure[`${share}Avg60`];
      row.values[hostSlots[`psi_${share}_${resource}_avg300`]] = pressure[`${share}Avg300`];
      row.counters[hostSlots[`psi_${share}_${resource}_total`]] = pressure.counters.value(
        pressureCounters[`${share}Total`],
      );
    }
    if (readings.complete) derivePressure(readings.previous, readings.current, resource, row);
  }

  close(): void {
    this.file.close();
  }
}
