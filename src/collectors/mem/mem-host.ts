import { KernelFile } from '../../kernel/base/kernel-file.ts';
import { parseNumberAt } from '../../kernel/base/number-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { MemInfo, parseMemInfo } from '../../kernel/proc/proc-meminfo.ts';
import { readRecord, readValue } from '../../kernel/base/read.ts';
import { parseArcstats } from '../../kernel/sys/zfs-arcstats.ts';
import { columns, slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Wanted } from '../collector.ts';

const hostSlots = slots('mem', 'host');

const SOURCE = /^\/proc\/meminfo (\S+)$/;

/** The line of /proc/meminfo each metric shows, as the catalogue names it. */
const lines: readonly (readonly [slot: number, name: string])[] = columns('host').flatMap(
  ({ collector, source, slot }) => {
    const name = collector === 'mem' ? SOURCE.exec(source)?.[1] : undefined;
    return name === undefined || name.includes('-') ? [] : [[slot, name] as const];
  },
);

/** Memory of the host. Source: Documentation/filesystems/proc.rst, meminfo. */
export class HostMem {
  private readonly meminfo: KernelFile;
  private readonly ksm: KernelFile;
  private readonly arcstats: KernelFile;
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
  }

  /** @param assigned memory of all running VMs, in bytes */
  collect({ values }: Row, assigned: number): void {
    if (readRecord(this.meminfo, parseMemInfo, this.info)) {
      this.slots.forEach((slot, i) => {
        values[slot] = this.info.values[i] as number;
      });
      values[hostSlots.ram_swapused] =
        (values[hostSlots.ram_swaptotal] as number) - (values[hostSlots.ram_swapfree] as number);
      values[hostSlots.ram_overcommit] = assigned / (values[hostSlots.ram_total] as number);
    }
    if (!this.wanted.verbose) return;
    values[hostSlots.ram_ksm] = readValue(this.ksm, parseNumberAt) * this.pageSize;
    values[hostSlots.ram_zfsarc] = readValue(this.arcstats, parseArcstats);
  }

  close(): void {
    for (const file of [this.meminfo, this.ksm, this.arcstats]) file.close();
  }
}
