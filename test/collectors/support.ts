import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { TargetRows } from '../../src/collectors/device-rows.ts';
import type { Detail, DiskReading, Guest } from '../../src/guests/guest.ts';
import { diskCounters } from '../../src/guests/guest.ts';
import type { GuestNic, Sources } from '../../src/guests/sources.ts';
import { processSources, toldSources } from '../../src/guests/sources.ts';
import { Counters } from '../../src/kernel/base/counters.ts';
import { defaultRoots, Paths } from '../../src/kernel/base/paths.ts';
import type { Process } from '../../src/kernel/process/process.ts';
import type { Cgroup } from '../../src/kernel/sys/cgroup/cgroup.ts';
import { columns } from '../../src/catalogue/catalogue.ts';
import type { Row } from '../../src/catalogue/row.ts';
import { Target } from '../../src/sampling/targets.ts';

/** A procfs, sysfs and cgroup tree of our own: real counters do not take the values that a test wants. */
export class Tree {
  readonly root = mkdtempSync(join(tmpdir(), 'proxtop-tree-'));
  readonly paths: Paths = new Paths({
    ...defaultRoots,
    procfs: join(this.root, 'proc'),
    sysfs: join(this.root, 'sys'),
    cgroupfs: join(this.root, 'sys/fs/cgroup'),
  });

  constructor(t: TestContext) {
    t.after(() => {
      rmSync(this.root, { recursive: true, force: true });
    });
  }

  /** Writes a file, in place if it is there, so that open descriptors see the new content. */
  write(file: string, content: string): void {
    const path = join(this.root, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  remove(file: string): void {
    rmSync(join(this.root, file), { recursive: true });
  }

  /** A process with one thread for each name; its other files are for the test to write. */
  process(pid: number, threads: readonly string[], stat: Partial<Stat> = {}): void {
    this.write(`proc/${pid}/stat`, statLine(pid, { threads: threads.length, ...stat }));
    threads.forEach((comm, index) => {
      this.write(`proc/${pid}/task/${pid + index}/comm`, `${comm}\n`);
      this.write(`proc/${pid}/task/${pid + index}/schedstat`, '0 0 0\n');
    });
  }
}

/** The columns of /proc/<pid>/stat that a test sets. */
interface Stat {
  readonly minflt: number;
  readonly majflt: number;
  readonly utime: number;
  readonly threads: number;
  readonly blkio: number;
}

function statLine(pid: number, stat: Partial<Stat>): string {
  const { minflt = 0, majflt = 0, utime = 6911, threads = 1, blkio = 0 } = stat;
  const front = `${pid} (kvm) S 1 ${pid} ${pid} 0 -1 138412416 ${minflt} 0 ${majflt} 0 ${utime} 2302 0 0 20 0 ${threads} 0`;
  return `${front} 4521 5123874816 261903 ${'0 '.repeat(17)}${blkio} 0 0\n`;
}

/** A monotonic clock that stands still until it is set, in seconds: rates by the real one cannot be foretold. */
export function stoppedClock(t: TestContext): (seconds: number) => void {
  let time = 0;
  t.mock.method(performance, 'now', () => time * 1000);
  return (seconds) => {
    time = seconds;
  };
}

/** What is known in a row, by id. */
export function known(row: Row): Record<string, number | string> {
  return Object.fromEntries(
    columns(row.scope).flatMap(({ id, slot }) => {
      const value = row.texts[slot] ?? row.values[slot] ?? NaN;
      return Number.isNaN(value) ? [] : [[id, value]];
    }),
  );
}

/** The values of some ids of a row; undefined for those that are not known. */
export function pick(row: Row, ...ids: string[]): (number | string | undefined)[] {
  const all = known(row);
  return ids.map((id) => all[id]);
}

/** The rows of a scope, by the name of the device. */
export function byDevice(rows: readonly Row[]): Record<string, Record<string, number | string>> {
  return Object.fromEntries(
    rows.map((row) => {
      const { device, ...rest } = known(row);
      return [String(device), rest];
    }),
  );
}

/** Sets counters by the names of their columns. */
export function setCounters(
  counters: Counters,
  columnsByName: Readonly<Record<string, number>>,
  values: Readonly<Record<string, number>>,
): void {
  for (const [name, value] of Object.entries(values)) {
    const index = columnsByName[name];
    if (index === undefined) throw new RangeError(`no counter ${name}`);
    counters.set(index, value);
  }
}

export class TestHost extends TargetRows<'host'> {
  constructor() {
    super('host');
  }

  begin(): this {
    this.clear();
    return this;
  }
}

/** A VM as a connector shows it, and changeable. */
export type TestVm = { -readonly [K in keyof Guest]: Guest[K] };

export function testVm(parts: Partial<Guest> = {}): TestVm {
  return {
    type: 'qemu',
    key: '1:1',
    uuid: 'u',
    name: 'n',
    vcpus: 1,
    disks: [],
    nics: [],
    sources: toldSources({ kind: 'host' }),
    ...parts,
  };
}

/** What tells of a VM whose QEMU is this process. */
export function sourcesOf(qemu: Process, cgroup?: Cgroup, shared = false, spread = false): Sources {
  return processSources(qemu, cgroup, { shared, spread }, { kind: 'host' });
}

/** NICs of a VM, by their taps. */
export function taps(...devices: readonly string[]): GuestNic[] {
  return devices.map((device) => ({ device, end: 'host' }));
}

/** A VM with its rows; `begin` starts a cycle. */
export function testTarget(parts: Partial<Guest> = {}): { vm: TestVm; target: Target; begin: () => Target } {
  const vm = testVm(parts);
  const target = new Target(vm);
  const begin = (): Target => {
    target.begin(0);
    return target;
  };
  return { vm, target, begin };
}

type DiskCounts = Readonly<Partial<Record<(typeof diskCounters)[number], number>>>;

/** What a monitor says of the disks of a VM; counters that are not given are 0. */
export function detailOf(
  time: number,
  disks: Readonly<Record<string, DiskCounts & Partial<DiskReading>>>,
): Detail {
  return {
    time,
    disks: Object.entries(disks).map(
      ([device, { path, capacity, allocation, physical, below, ...counts }]) => {
        const counters = new Counters(diskCounters.length);
        diskCounters.forEach((name, index) => {
          counters.set(index, counts[name] ?? 0);
        });
        return {
          device,
          counters,
          ...(path !== undefined && { path }),
          ...(capacity !== undefined && { capacity }),
          ...(allocation !== undefined && { allocation }),
          ...(physical !== undefined && { physical }),
          ...(below !== undefined && { below }),
        };
      },
    ),
  };
}

/** The counters of a row that are known, by the ids of the metrics that they stand behind. */
export function countersIn(row: Row): Record<string, number> {
  const known = columns(row.scope).filter(({ slot }) => !Number.isNaN(row.counters[slot]));
  return Object.fromEntries(known.map(({ id, slot }) => [id, row.counters[slot] as number]));
}
