import type { ContainerStorage } from '../../guests/sources.ts';
import { Counters, growth } from '../../kernel/base/counters.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readRecord } from '../../kernel/base/read.ts';
import type { StackedDevice } from '../../kernel/sys/block-stack.ts';
import { stackOf } from '../../kernel/sys/block-stack.ts';
import { CgroupIoStat, parseCgroupIoStat } from '../../kernel/sys/cgroup/cgroup-io-stat.ts';
import { Totals, now } from '../readings.ts';

/** What is counted, in the order of io.stat and objset alike. */
export const ioCounters = { readBytes: 0, writeBytes: 1, reads: 2, writes: 3 } as const;
const COUNTERS = Object.keys(ioCounters).length;
/** Seconds between two checks of what a device lies on: its numbers may be those of another one by now. */
const STACK_BEAT = 60;

/** What block devices lie on. */
export class DeviceStacks {
  private readonly stacks = new Map<string, StackedDevice>();
  private lookedAt = -Infinity;

  constructor(private readonly paths: Paths) {}

  /** @param numbers of the device, such as 253:3 */
  of(numbers: string): StackedDevice {
    if (now() - this.lookedAt >= STACK_BEAT) {
      this.lookedAt = now();
      this.stacks.clear();
    }
    let stack = this.stacks.get(numbers);
    if (stack === undefined) {
      stack = stackOf(this.paths, numbers);
      this.stacks.set(numbers, stack);
    }
    return stack;
  }
}

/** What a container did on one of its volumes, or on another device. */
export interface IoPart {
  /** Name of the volume (rootfs, mp0); of a device that is none its name in the kernel. */
  readonly name: string;
  readonly counters: Counters;
  /** What each counter grew by since the reading before; NaN where not known. */
  readonly grown: Float64Array;
}

interface Last {
  time: number;
  readonly counters: Counters;
  readonly grown: Float64Array;
}

/**
 * Reads and writes of one container. The kernel counts them for each device that they pass, so that those to a logical
 * volume count for its disk once more: only the topmost device of a stack is used. The I/O of ZFS file systems is done by
 * threads of ZFS, outside any cgroup, and counted by ZFS.
 */
export class ContainerIo {
  /** Those of the last reading. */
  readonly parts: IoPart[] = [];
  /** Seconds between the last two readings; NaN after the first one. */
  elapsed = NaN;
  /** What all parts together grew by since the reading before. */
  readonly grown = new Float64Array(COUNTERS);
  private readonly totals = new Totals(COUNTERS);
  private readonly stat = new CgroupIoStat();
  private readonly known = new Map<object, Last>();
  /** Whether the last reading had io.stat. */
  private hadStat = false;
  private time = NaN;

  constructor(
    private readonly source: ContainerStorage,
    private readonly stacks: DeviceStacks,
  ) {}

  /** False when nothing could be read. */
  read(): boolean {
    this.parts.length = 0;
    const { mounted, cgroup } = this.source;
    const hasStat = readRecord(cgroup.ioStat, parseCgroupIoStat, this.stat);
    if (!hasStat && mounted.every(({ objset }) => objset === undefined)) return false;
    const time = now();
    this.elapsed = time - this.time;
    this.time = time;
    this.grown.fill(0);
    if (hasStat) this.addDevices();
    this.hadStat = hasStat;
    for (const { volume, objset } of mounted) {
      const counters = objset?.read();
      if (objset === undefined || counters === undefined) continue;
      this.add(volume, this.grow(objset, counters, NaN), counters);
    }
    if (!this.isWhole) this.grown.fill(NaN);
    for (const [key, { time: seen }] of this.known) if (seen !== time) this.known.delete(key);
    return true;
  }

  /** A sum with an unknown part is unknown. */
  private get isWhole(): boolean {
    return this.source.mounted.every(({ counted }) => counted);
  }

  /** What a counter of all parts together grew by since the first reading; NaN where not known. */
  total(counter: number): number {
    return this.isWhole ? this.totals.at(counter) : NaN;
  }

  private addDevices(): void {
    const { devices } = this.stat;
    const stacks = devices.map(({ name }) => this.stacks.of(name));
    devices.forEach((device, index) => {
      // A device is listed from the first I/O to it on, so that one that appears was at 0 before.
      const grown = this.grow(device, device.counters, this.hadStat ? 0 : NaN);
      if (stacks.some(({ below }) => below.has(device.name))) return;
      const volume = this.source.mounted.find(({ device: numbers }) => numbers === device.name)?.volume;
      this.add(volume ?? stacks[index]?.name ?? device.name, grown, device.counters);
    });
  }

  /** What counters grew by. @param before what they were at the reading before, if they are new */
  private grow(key: object, counters: Counters, before: number): Float64Array {
    let last = this.known.get(key);
    if (last === undefined) {
      last = { time: NaN, counters: new Counters(COUNTERS), grown: new Float64Array(COUNTERS) };
      for (let i = 0; i < COUNTERS; i++) last.counters.set(i, before);
      this.known.set(key, last);
    }
    for (let i = 0; i < COUNTERS; i++) last.grown[i] = growth(last.counters, counters, i);
    last.time = this.time;
    last.counters.copy(counters);
    return last.grown;
  }

  private add(name: string, grown: Float64Array, counters: Counters): void {
    for (let i = 0; i < COUNTERS; i++) {
      const delta = grown[i] as number;
      this.totals.add(i, delta);
      if (delta >= 0) this.grown[i] = (this.grown[i] as number) + delta;
    }
    this.parts.push({ name, counters, grown });
  }
}
