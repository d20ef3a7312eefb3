import type { Counters } from '../../kernel/base/counters.ts';
import { KernelFile } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { diskCounts, parseBlockStat } from '../../kernel/proc/proc-diskstats.ts';
import { identifyBlockDevice } from '../../kernel/sys/block-device.ts';
import { blockDeviceName } from '../../kernel/sys/block-stack.ts';
import { DatasetCounts, ZfsDatasets } from '../../kernel/sys/zfs/zfs-datasets.ts';

/** What a host device counted, valid until it is read again; what cannot be read is undefined. */
export interface HostCounts {
  /** In the order of diskStatsCounters. */
  readonly counters: Counters | undefined;
  /** In the order of zfsObjsetCounters. */
  readonly objset: Counters | undefined;
}

/**
 * A block device of the host on which disks of VMs lie, or a file system of ZFS. Its descriptor belongs to this device,
 * whatever gets its name later. ZFS counts the requests to its volumes too; with 2.0 to 2.1.0 /proc/diskstats does not
 * count them at all.
 */
export class HostDevice {
  /** Disks that are known to lie on it. */
  holders = 0;
  private readonly record = diskCounts();

  /**
   * @param key what it is known by: its numbers, or for want of them its data set
   * @param name as in /proc/diskstats, or that of the data set
   */
  constructor(
    readonly key: string,
    readonly name: string,
    private readonly stat: KernelFile | undefined,
    private readonly objset: DatasetCounts | undefined,
  ) {}

  read(): HostCounts {
    const isRead = this.stat !== undefined && readRecord(this.stat, parseBlockStat, this.record);
    return { counters: isRead ? this.record.counters : undefined, objset: this.objset?.read() };
  }

  close(): void {
    this.stat?.close();
    this.objset?.close();
  }
}

/** What disks of VMs lie on, each opened once. */
export class HostDevices {
  private readonly known = new Map<string, HostDevice>();
  private readonly datasets: ZfsDatasets;

  constructor(private readonly paths: Paths) {
    this.datasets = new ZfsDatasets(paths);
  }

  /**
   * To be given back with {@link release}.
   * @param numbers major and minor number, such as 253:4; undefined where it is a file system of ZFS
   * @param dataset of that
   * @returns undefined where the kernel has no such device
   */
  use(numbers: string | undefined, dataset: string | undefined): HostDevice | undefined {
    const key = numbers ?? dataset;
    if (key === undefined) return undefined;
    let device = this.known.get(key);
    if (device === undefined) {
      device = numbers === undefined ? this.openDataset(key) : this.openBlock(numbers);
      if (device === undefined) return undefined;
      this.known.set(key, device);
    }
    device.holders++;
    return device;
  }

  private openBlock(numbers: string): HostDevice | undefined {
    const name = blockDeviceName(this.paths, numbers);
    if (name === undefined) return undefined;
    const stat = new KernelFile(this.paths.blockByNumber(numbers, 'stat'));
    const { type, name: volume } = identifyBlockDevice(this.paths, name);
    const isZvol = type === 'zvol' && volume !== undefined;
    return new HostDevice(numbers, name, stat, isZvol ? new DatasetCounts(this.datasets, volume) : undefined);
  }

  private openDataset(dataset: string): HostDevice {
    return new HostDevice(dataset, dataset, undefined, new DatasetCounts(this.datasets, dataset));
  }

  release(device: HostDevice): void {
    if (--device.holders > 0) return;
    device.close();
    this.known.delete(device.key);
  }
}
