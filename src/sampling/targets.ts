import type { VmTarget } from '../collectors/collector.ts';
import { DeviceRows } from '../collectors/device-rows.ts';
import type { Vm } from '../guests/connector.ts';
import { slots } from '../catalogue/catalogue.ts';
import { Row } from '../catalogue/row.ts';
import type { VmRows } from './sample.ts';
import { markTwins } from './twins.ts';

const id = slots('identity', 'vm');

/** The rows of one running VM, kept as long as it runs. */
export class Target implements VmTarget, VmRows {
  twin = false;
  readonly row = new Row('vm');
  readonly vcpuRows = new DeviceRows('vm_vcpu');
  readonly diskRows = new DeviceRows('vm_disk');
  readonly nicRows = new DeviceRows('vm_nic');

  readonly vcpus = this.vcpuRows.rows;
  readonly disks = this.diskRows.rows;
  readonly nics = this.nicRows.rows;

  constructor(readonly vm: Vm) {}

  /** Starts a cycle: forgets all values and says who the VM is. */
  begin(time: number): void {
    const { vm, row } = this;
    row.clear();
    for (const rows of [this.vcpuRows, this.diskRows, this.nicRows]) rows.clear();
    const { texts, values } = row;
    texts[id.UUID] = vm.uuid;
    texts[id.name] = vm.name;
    texts[id.vmid] = vm.vmid;
    texts[id.pid] = vm.process === undefined ? undefined : String(vm.process.pid);
    texts[id.state] = vm.state;
    texts[id.tags] = vm.tags;
    texts[id.lock] = vm.lock;
    texts[id.qmp] = vm.silence?.reason;
    if (vm.silence !== undefined) values[id.qmp_age] = time - vm.silence.since;
    if (vm.detail !== undefined) values[id.detail_age] = time - vm.detail.time;
  }
}

/** The rows of all running VMs, following the inventory. */
export class Targets {
  private known = new Map<Vm, Target>();
  /** In the order of the inventory. */
  readonly list: Target[] = [];

  /** @param time monotonic seconds */
  follow(inventory: readonly Vm[], time: number): void {
    this.list.length = 0;
    let news = false;
    for (const vm of inventory) {
      let target = this.known.get(vm);
      if (target === undefined) {
        target = new Target(vm);
        this.known.set(vm, target);
        news = true;
      }
      target.begin(time);
      this.list.push(target);
    }
    if (news) markTwins(this.list);
    if (this.known.size > this.list.length)
      this.known = new Map(this.list.map((target) => [target.vm, target]));
  }
}
