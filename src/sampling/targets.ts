import type { VmTarget } from '../collectors/collector.ts';
import { TargetRows } from '../collectors/device-rows.ts';
import type { Vm } from '../guests/connector.ts';
import { slots } from '../catalogue/catalogue.ts';
import type { VmRows } from './sample.ts';
import { markTwins } from './twins.ts';

const id = slots('identity', 'vm');

/** The rows of one running VM, kept as long as it runs. */
export class Target extends TargetRows<'vm'> implements VmTarget {
  /** As they stand in a sample. */
  readonly rows: VmRows & { twin: boolean };

  constructor(readonly vm: Vm) {
    super('vm');
    this.rows = { vm, twin: false, ...this.tree };
  }

  /** Starts a cycle: forgets all values and says who the VM is. */
  begin(time: number): void {
    const { vm, row } = this;
    this.clear();
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
  /** Of each of them, in the same order. */
  readonly rows: VmRows[] = [];

  /** @param time monotonic seconds */
  follow(inventory: readonly Vm[], time: number): void {
    this.list.length = 0;
    this.rows.length = 0;
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
      this.rows.push(target.rows);
    }
    if (news) markTwins(this.list.map(({ rows }) => rows));
    if (this.known.size > this.list.length)
      this.known = new Map(this.list.map((target) => [target.vm, target]));
  }
}
