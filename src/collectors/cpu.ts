import type { Paths } from '../kernel/paths.ts';
import { slots } from '../metrics/catalogue.ts';
import type { Collector, HostTarget, VmTarget, Wanted } from './collector.ts';
import { HostCpu } from './cpu-host.ts';
import { VmCpu } from './cpu-vm.ts';

const vmSlots = slots('cpu', 'vm');

/** CPU time used and waited for: of the host, and of each VM and vCPU from its threads' schedstat. */
export class CpuCollector implements Collector {
  readonly name = 'cpu';
  private readonly host: HostCpu;
  private readonly vms = new WeakMap<VmTarget, VmCpu>();

  constructor(
    paths: Paths,
    private readonly wanted: Wanted,
  ) {
    this.host = new HostCpu(paths, wanted);
  }

  collect(host: HostTarget, vms: readonly VmTarget[]): void {
    let vcpus = 0;
    for (const target of vms) {
      vcpus += target.vm.vcpus;
      target.row.values[vmSlots.cpu_cores] = target.vm.vcpus;
      if (target.vm.process === undefined) continue;
      let vm = this.vms.get(target);
      if (vm === undefined) {
        vm = new VmCpu(target.vm.process, target.vm.cgroup);
        this.vms.set(target, vm);
      }
      vm.collect(target, this.wanted);
    }
    this.host.collect(host.row, vcpus);
  }

  close(): void {
    this.host.close();
  }
}
