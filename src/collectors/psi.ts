import { growth } from '../kernel/counters.ts';
import { KernelFile } from '../kernel/kernel-file.ts';
import type { Paths } from '../kernel/paths.ts';
import { Pressure, parsePressure, pressureCounters } from '../kernel/proc-pressure.ts';
import { readRecord } from '../kernel/read.ts';
import { columns, slots } from '../metrics/catalogue.ts';
import type { Row } from '../metrics/row.ts';
import type { Collector, HostTarget, VmTarget, Wanted } from './collector.ts';
import { Readings, now } from './readings.ts';

const hostSlots = slots('psi', 'host');
const vmSlots = slots('psi', 'vm');
const verboseVmSlots = new Set(
  columns('vm')
    .filter(({ shown }) => shown === 'verbose')
    .map(({ slot }) => slot),
);

/** The resources the kernel tells pressure of, as the metric ids name them. */
const resources = ['cpu', 'io', 'mem'] as const;
type Resource = (typeof resources)[number];
const fileNames: Readonly<Record<Resource, 'cpu' | 'io' | 'memory'>> = {
  cpu: 'cpu',
  io: 'io',
  mem: 'memory',
};
const shares = ['some', 'full'] as const;

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
export class PsiCollector implements Collector {
  readonly name = 'psi';
  private readonly host: readonly HostPressure[];
  private readonly scratch = new Pressure();

  constructor(
    paths: Paths,
    private readonly wanted: Wanted,
  ) {
    this.host = resources.map((resource) => new HostPressure(paths, resource));
  }

  collect({ row }: HostTarget, vms: readonly VmTarget[]): void {
    for (const pressure of this.host) pressure.collect(row);
    for (const { vm, row: vmRow } of vms) {
      const { cgroup } = vm;
      if (cgroup === undefined) continue;
      this.setVm(cgroup.cpuPressure, 'cpu', vmRow);
      this.setVm(cgroup.ioPressure, 'io', vmRow);
      this.setVm(cgroup.memoryPressure, 'mem', vmRow);
    }
  }

  private setVm(file: KernelFile, resource: Resource, row: Row): void {
    if (!readRecord(file, parsePressure, this.scratch)) return;
    for (const share of shares) {
      const slot = vmSlots[`psi_${share}_${resource}_avg10`];
      if (this.wanted.verbose || !verboseVmSlots.has(slot)) row.values[slot] = this.scratch[`${share}Avg10`];
    }
  }

  close(): void {
    for (const pressure of this.host) pressure.close();
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
    }
    if (readings.complete) derivePressure(readings.previous, readings.current, resource, row);
  }

  close(): void {
    this.file.close();
  }
}
