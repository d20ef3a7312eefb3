import type { StorageSource } from '../../guests/sources.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { Collector, HostTarget, GuestTarget, Wanted } from '../collector.ts';
import { DeviceStacks } from '../io/container-io.ts';
import { ContainerDisks } from './disk-container.ts';
import { HostDisks } from './disk-host.ts';
import { DiskPlaces } from './disk-places.ts';
import { HostPools } from './disk-pools.ts';
import { VmDisks } from './disk-vm.ts';
import { PerGuest } from '../per-guest.ts';

/** Block devices and ZFS pools of the host, the virtual disks of each VM, and the volumes of each container. */
export class DiskCollector implements Collector {
  readonly name = 'disk';
  private readonly host: HostDisks;
  private readonly pools: HostPools;
  private readonly vms: PerGuest<VmDisks | ContainerDisks>;

  /** @param storedev the devices the host sum runs over, @param rows those that have a row: see {@link HostDisks} */
  constructor(
    paths: Paths,
    private readonly wanted: Wanted,
    storedev: readonly string[] | undefined,
    rows?: readonly string[],
  ) {
    this.host = new HostDisks(paths, wanted, storedev, rows);
    this.pools = new HostPools(paths);
    const places = new DiskPlaces(paths);
    const stacks = new DeviceStacks(paths);
    this.vms = new PerGuest(({ guest }) => disksOf(guest.sources.storage, places, stacks));
  }

  collect(host: HostTarget, vms: readonly GuestTarget[], attend?: () => void): void {
    this.host.collect(host);
    if (this.wanted.devices) this.pools.collect(host);
    for (const target of vms) {
      attend?.();
      this.vms.of(target).collect(target, this.wanted, this.host.load);
    }
  }

  close(): void {
    this.host.close();
  }
}

function disksOf(source: StorageSource, places: DiskPlaces, stacks: DeviceStacks): VmDisks | ContainerDisks {
  switch (source.kind) {
    case 'process':
    case 'told':
      return new VmDisks(source, places);
    case 'cgroup':
      return new ContainerDisks(source, stacks);
  }
}
