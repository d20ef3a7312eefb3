import { dmiUuid } from '../kernel/sys/dmi-uuid.ts';
import { KernelFile, readOnce } from '../kernel/base/kernel-file.ts';
import type { Paths } from '../kernel/base/paths.ts';
import { parseUptime } from '../kernel/proc/proc-uptime.ts';
import { readValue } from '../kernel/base/read.ts';
import { slots } from '../catalogue/catalogue.ts';
import type { Collector, HostTarget, GuestTarget } from './collector.ts';

const hostSlots = slots('host', 'host');
const vmSlots = slots('host', 'vm');

/** What the host is, and its name on the row of each VM; on its own row the name always stands. */
export class HostCollector implements Collector {
  readonly name = 'host';
  private readonly uptime: KernelFile;
  private readonly uuid: string | undefined;
  private readonly kernel: string | undefined;

  constructor(paths: Paths) {
    this.uptime = new KernelFile(paths.proc('uptime'));
    this.uuid = dmiUuid(paths);
    this.kernel = readOnce(paths.proc('sys/kernel/osrelease'));
  }

  collect({ row }: HostTarget, vms: readonly GuestTarget[]): void {
    const name = row.texts[hostSlots.host_name];
    row.texts[hostSlots.host_uuid] = this.uuid;
    row.texts[hostSlots.host_kernel] = this.kernel;
    row.values[hostSlots.host_vms] = vms.length;
    row.values[hostSlots.host_uptime] = readValue(this.uptime, parseUptime);
    for (const vm of vms) vm.row.texts[vmSlots.host_name] = name;
  }

  close(): void {
    this.uptime.close();
  }
}
