import { KernelFile } from '../../kernel/base/kernel-file.ts';
import { parseNumberAt } from '../../kernel/base/number-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { MemInfo, parseMemInfo } from '../../kernel/proc/proc-meminfo.ts';
import { Pressure, parsePressure } from '../../kernel/proc/proc-pressure.ts';
import { VmStat, parseVmStat, vmstatCounters } from '../../kernel/proc/proc-vmstat.ts';
import { growth } from '../../kernel/base/counters.ts';
import { readRecord, readValue } from '../../kernel/base/read.ts';
import { ArcStats, parseArcstats } from '../../kernel/sys/zfs/zfs-arcstats.ts';
import { columns, slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Wanted } from '../collector.ts';
import { Readings, now } from '../readings.ts';
import { memoryState } from './mem-state.ts';

const hostSlots = slots('mem', 'host');

const SOURCE = /^\/proc\/meminfo (\S+)$/;

/** The line of /proc/meminfo each metric shows, as the catalogue names it. */
const lines: readonly (readonly [slot: number, name: string])[] = columns('host').flatMap(
  ({ collector, source, slot }) => {
    const name = collector === 'mem' ? SOURCE.exec(source)?.[1] : undefined;
    return name === undefined || name.includes('-') ? [] : [[slot, name] as const];
  },
);

const swapRates: readonly (readonly [slot: number, counter: number])[] = [
  [hostSlots.ram_pswpin, vmstatCounters.pswpin],
  [hostSlots.ram_pswpout, vmstatCounters.pswpout],
];

/** Memory of the host. Source: Documentation/filesystems/proc.rst, meminfo. */
export class HostMem {
  private readonly meminfo: KernelFile;
  private readonly ksm: KernelFile;
  private readonly arcstats: KernelFile;
  private readonly arc = new ArcStats();
  private readonly vmstat: KernelFile;
  private readonly swap = new Readings(() => ({ time: NaN, stat: new VmStat() }));
  private readonly pressureFile: KernelFile;
  private readonly pressure = new Pressure();
  private readonly info = new MemInfo(lines.map(([, name]) => name));
  private readonly slots = lines.map(([slot]) => slot);

  constructor(
    paths: Paths,
    private readonly wanted: Wanted,
    /** Bytes. */
    private readonly pageSize: number,
  ) {
    this.meminfo = new KernelFile(paths.proc('meminfo'));
    this.ksm = new KernelFile(paths.ksmPagesSharing);
    this.arcstats = new KernelFile(paths.proc('spl/kstat/zfs/arcstats'), true);
    this.vmstat = new KernelFile(paths.proc('vmstat'), true);
    this.pressureFile = new KernelFile(paths.proc('pressure/memory'));
  }

  /** @param assigned memory of all running VMs, in bytes */
  collect(row: Row, assigned: number): void {
    const { values } = row;
    if (readRecord(this.meminfo, parseMemInfo, this.info)) {
      this.slots.forEach((slot, i) => {
        values[slot] = this.info.values[i] as number;
      });
      values[hostSlots.ram_swapused] =
        (values[hostSlots.ram_swaptotal] as number) - (values[hostSlots.ram_swapfree] as number);
      values[hostSlots.ram_overcommit] = assigned / (values[hostSlots.ram_total] as number);
    }
    this.setState(row);
    if (!this.wanted.verbose) return;
    values[hostSlots.ram_ksm] = readValue(this.ksm, parseNumberAt) * this.pageSize;
  }

  /** What could be had, what is read from swap and written to it, and what follows from that. */
  private setState({ values, counters, texts }: Row): void {
    const hasArc = readRecord(this.arcstats, parseArcstats, this.arc);
    if (hasArc && this.wanted.verbose) values[hostSlots.ram_zfsarc] = this.arc.size;
    const cache = hasArc ? Math.max(0, this.arc.size - this.arc.minimum) : 0;
    values[hostSlots.ram_obtainable] = (values[hostSlots.ram_available] as number) + (cache || 0);
    this.setSwapRates(values, counters);
    texts[hostSlots.ram_state] = memoryState({
      total: values[hostSlots.ram_total] as number,
      obtainable: values[hostSlots.ram_obtainable] as number,
      swapIn: values[hostSlots.ram_pswpin] as number,
      pressure: readRecord(this.pressureFile, parsePressure, this.pressure) ? this.pressure.someAvg10 : NaN,
    });
  }

  private setSwapRates(values: Float64Array, counters: Float64Array): void {
    const { swap, pageSize } = this;
    if (!readRecord(this.vmstat, parseVmStat, swap.spare.stat)) return;
    swap.spare.time = now();
    swap.commit();
    const { previous, current, complete } = swap;
    for (const [slot, counter] of swapRates) {
      counters[slot] = current.stat.counters.value(counter) * pageSize;
      if (!complete) continue;
      const pages = growth(previous.stat.counters, current.stat.counters, counter);
      values[slot] = (pages * pageSize) / (current.time - previous.time);
    }
  }

  close(): void {
    for (const file of [this.meminfo, this.ksm, this.arcstats, this.vmstat, this.pressureFile]) file.close();
  }
}
