import type { Counters } from '../../kernel/base/counters.ts';
import { KernelFile } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { diskCounts, parseBlockStat } from '../../kernel/proc/proc-diskstats.ts';
import { blockDeviceName } from '../../kernel/sys/block-stack.ts';

/** A block device of the host on which disks of VMs lie. Its descriptor belongs to this device, whatever gets its name later. */
export class HostDevice {
  /** Disks that are known to lie on it. */
  holders = 0;
  private readonly file: KernelFile;
  private readonly record = diskCounts();

  /** @param name as in /proc/diskstats */
  constructor(
    paths: Paths,
    readonly numbers: string,
    readonly name: string,
  ) {
    this.file = new KernelFile(paths.blockByNumber(numbers, 'stat'));
  }

  /** Its counters now, valid until the next call; undefined when they cannot be read. */
  read(): Counters | undefined {
    return readRecord(this.file, parseBlockStat, this.record) ? this.record.counters : undefined;
  }

  close(): void {
    this.file.close();
  }
}

/** The block devices of the host that disks of VMs lie on, each opened once. */
export class HostDevices {
  private readonly known = new Map<string, HostDevice>();

  constructor(private readonly paths: Paths) {}

  /**
   * To be given back with {@link release}.
   * @param numbers major and minor number, such as 253:4
   * @returns undefined where the kernel has no such device
   */
  use(numbers: string): HostDevice | undefined {
    let device = this.known.get(numbers);
    if (device === undefined) {
      const name = blockDeviceName(this.paths, numbers);
      if (name === undefined) return undefined;
      device = new HostDevice(this.paths, numbers, name);
      this.known.set(numbers, device);
    }
    device.holders++;
    return device;
  }

  release(device: HostDevice): void {
    if (--device.holders > 0) return;
    device.close();
    this.known.delete(device.numbers);
  }
}
