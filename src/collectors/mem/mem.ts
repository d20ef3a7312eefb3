import type { MemorySource } from '../../guests/sources.ts';
import { pageSize } from '../../kernel/sys/page-size.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { Collector, HostTarget, GuestTarget, Wanted } from '../collector.ts';
import { HostMem } from './mem-host.ts';
import { ContainerMem } from './mem-container.ts';
import { VmMem } from './mem-vm.ts';
import { PerGuest } from '../per-guest.ts';

/** Memory of the host, of each VM (what its guest has and uses, and what the host gives), and of each container. */
export class MemCollector implements Collector {
  readonly name = 'mem';
  private readonly host: HostMem;
  private readonly pageSize: number;
  private readonly vms = new PerGuest(({ guest }) => memoryOf(guest.sources.memory, this.pageSize));

  constructor(
    paths: Paths,
    private readonly wanted: Wanted,
  ) {
    this.pageSize = pageSize(paths);
    this.host = new HostMem(paths, wanted, this.pageSize);
  }

  collect(host: HostTarget, vms: readonly GuestTarget[]): void {
    let assigned = 0;
    for (const target of vms) {
      const total = this.vms.of(target).collect(target, this.wanted);
      if (total > 0) assigned += total;
    }
    this.host.collect(host.row, assigned);
  }

  close(): void {
    this.host.close();
  }
}

function memoryOf(source: MemorySource, bytesOfPage: number): VmMem | ContainerMem {
  switch (source.kind) {
    case 'process':
    case 'told':
      return new VmMem(source, bytesOfPage);
    case 'cgroup':
      return new ContainerMem(source.cgroup);
  }
}
