import { ascii, badLine, requireWholeLines } from '../base/content.ts';
import { Counters } from '../base/counters.ts';
import type { Cursor } from '../base/cursor.ts';

/** Ticks (1/100 s) of all CPUs together. The kernel counts guest inside user too, and guestNice inside nice. */
export const procStatCounters = {
  user: 0,
  nice: 1,
  system: 2,
  idle: 3,
  iowait: 4,
  irq: 5,
  softirq: 6,
  steal: 7,
  guest: 8,
  guestNice: 9,
} as const;
const COLUMNS = Object.keys(procStatCounters).length;

/** What one logical CPU did. */
export interface CpuTimes {
  number: number;
  readonly counters: Counters;
}

/** What /proc/stat tells. */
export class ProcStat {
  /** See {@link procStatCounters}; NaN for a column that the kernel lacks. */
  readonly counters = new Counters(COLUMNS);
  /** Logical CPUs that are online. */
  cpus = NaN;
  /** Each of them, in the order of the kernel; longer than `cpus` where there were more. */
  readonly each: CpuTimes[] = [];

  /** @param wantsEach whether {@link each} is read */
  constructor(readonly wantsEach = false) {}
}

const EXPECTED = 'a line like "cpu  46255 0 5421 129842 311 0 18 3", one for each CPU and others behind';
const ALL_CPUS = ascii('cpu ');
const ONE_CPU = ascii('cpu');

/**
 * Parses /proc/stat (Documentation/filesystems/proc.rst), such as
 *
 *     cpu  46255 0 5421 129842 311 0 18 3 0 0
 *     cpu0 23127 0 2710 64921 155 0 9 1 0 0
 *     intr 640095 0 9
 *
 * @throws KernelFormatError
 */
export function parseProcStat(cursor: Cursor, into: ProcStat, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  if (!cursor.take(ALL_CPUS)) throw badLine(cursor, path, EXPECTED, 0);
  for (let i = 0; i < COLUMNS; i++) into.counters.read(i, cursor);
  if (Number.isNaN(into.counters.value(procStatCounters.idle))) throw badLine(cursor, path, EXPECTED, 0);

  let cpus = 0;
  cursor.skipLine();
  while (cursor.take(ONE_CPU)) {
    if (into.wantsEach) readCpu(cursor, into, cpus);
    cpus++;
    cursor.skipLine();
  }
  if (cpus === 0 || cursor.atEnd) throw badLine(cursor, path, EXPECTED, 0);
  into.cpus = cpus;
}

function readCpu(cursor: Cursor, { each }: ProcStat, index: number): void {
  const times = (each[index] ??= { number: NaN, counters: new Counters(COLUMNS) });
  times.number = cursor.uint();
  for (let i = 0; i < COLUMNS; i++) times.counters.read(i, cursor);
}
