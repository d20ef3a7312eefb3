import type { Paths } from '../kernel/paths.ts';
import { slots } from '../metrics/catalogue.ts';
import type { Collector, HostTarget, VmTarget, Wanted } from './collector.ts';
import { HostCpu } from './cpu-host.ts';
import { RemoteCpu } from './cpu-remote.ts';
import { VmCpu } from './cpu-vm.ts';
import { PerVm } from './per-vm.ts';

const vmSlots = slots('cpu', 'vm');

/** CPU time used and waited for: of the host, and of each VM and vCPU from its threads' schedstat. */
export class CpuCollector implements Collector {
  readonly name = 'cpu';
  private readonly host: HostCpu;
  private readonly vms = new PerVm(({ vm: { process, cgroup } }) =>
    process === undefined ? new RemoteCpu() : new VmCpu(process, cgroup),
  );

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
      if (target.vm.vcpus > 0) target.row.values[vmSlots.cpu_cores] = target.vm.vcpus;
      this.vms.of(target).collect(target, this.wanted);
    }
    this.host.collect(host.row, vcpus);
  }

  close(): void {
    this.host.close();
  }
}
