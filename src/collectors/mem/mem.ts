import type { MemorySource } from '../../guests/sources.ts';
import { pageSize } from '../../kernel/sys/page-size.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readNumaNodes } from '../../kernel/sys/numa-nodes.ts';
import type { NumaNodes } from '../../kernel/sys/numa-nodes.ts';
import type { Collector, HostTarget, GuestTarget, Wanted } from '../collector.ts';
import { HostMem } from './mem-host.ts';
import { NodesMemory } from './mem-nodes.ts';
import { ContainerMem } from './mem-container.ts';
import { VmMem } from './mem-vm.ts';
import { PerGuest } from '../per-guest.ts';
import { now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

/** Seconds between two checks of the NUMA nodes: they change when a CPU or memory is plugged in. */
const NODES_BEAT = 600;

/** Memory of the host, of each VM (what its guest has and uses, and what the host gives), and of each container. */
export class MemCollector implements Collector {
  readonly name = 'mem';
  private readonly host: HostMem;
  private readonly pageSize: number;
  private readonly vms = new PerGuest(({ guest }) => memoryOf(guest.sources.memory, this.pageSize));

  private nodes: NumaNodes | undefined;
  private readonly nodesMemory: NodesMemory;
  private readonly nodesBeat = new SlowBeat(NODES_BEAT);

  constructor(
    private readonly paths: Paths,
    private readonly wanted: Wanted,
  ) {
    this.pageSize = pageSize(paths);
    this.host = new HostMem(paths, wanted, this.pageSize);
    this.nodesMemory = new NodesMemory(paths);
  }

  collect(host: HostTarget, vms: readonly GuestTarget[], attend?: () => void): void {
    const time = now();
    if (this.nodesBeat.due(time)) this.nodes = readNumaNodes(this.paths) ?? this.nodes;
    if (this.nodes !== undefined && this.wanted.devices)
      this.nodesMemory.collect(time, this.nodes, host.devices.numa);
    let assigned = 0;
    for (const target of vms) {
      attend?.();
      const total = this.vms.of(target).collect(target, this.wanted, this.nodes);
      if (total > 0) assigned += total;
    }
    this.host.collect(host.row, assigned);
  }

  close(): void {
    this.host.close();
    this.nodesMemory.close();
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
