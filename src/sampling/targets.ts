import type { GuestTarget } from '../collectors/collector.ts';
import { DeviceRows, TargetRows } from '../collectors/device-rows.ts';
import { now } from '../collectors/readings.ts';
import type { Guest } from '../guests/guest.ts';
import { slots } from '../catalogue/catalogue.ts';
import type { GuestRows } from './sample.ts';
import { markTwins } from './twins.ts';

const id = slots('identity', 'vm');

/** The rows of one running VM, kept as long as it runs. */
export class Target extends TargetRows<'vm'> implements GuestTarget {
  readonly threads = new DeviceRows('vm_vcpu');
  /** As they stand in a sample. */
  readonly rows: GuestRows & { twin: boolean };
  private pid: number | undefined;
  private pidText: string | undefined;

  /** @param time monotonic seconds */
  constructor(
    readonly guest: Guest,
    time = now(),
  ) {
    super('vm');
    const seen = Date.now();
    const process =
      guest.since === undefined ? {} : { process: Math.round(seen - (time - guest.since) * 1000) };
    const began = { seen, ...process };
    this.rows = { guest, twin: false, began, ...this.tree, threads: this.threads.rows };
  }

  /** Starts a cycle: forgets all values and says who the VM is. */
  begin(time: number): void {
    const { guest, row } = this;
    this.clear();
    this.threads.clear();
    const { texts, values } = row;
    texts[id.guest_type] = guest.type;
    texts[id.UUID] = guest.uuid;
    texts[id.name] = guest.name;
    texts[id.vmid] = guest.vmid;
    texts[id.pid] = this.pidOf(guest);
    texts[id.state] = guest.state;
    texts[id.tags] = guest.tags;
    texts[id.lock] = guest.lock;
    texts[id.qmp] = guest.silence?.reason;
    // How long its process runs is not how long a VM does: one that was migrated got a new process.
    if (guest.since !== undefined && guest.type !== 'qemu') values[id.uptime] = time - guest.since;
    if (guest.silence !== undefined) values[id.qmp_age] = time - guest.silence.since;
    if (guest.detail !== undefined) values[id.detail_age] = time - guest.detail.time;
  }

  /** The same text as long as the pid is the same: printers know it again at once. */
  private pidOf({ pid }: Guest): string | undefined {
    if (pid !== this.pid) [this.pid, this.pidText] = [pid, pid === undefined ? undefined : String(pid)];
    return this.pidText;
  }
}

/** The rows of all running VMs, following the inventory. */
export class Targets {
  private known = new Map<Guest, Target>();
  /** In the order of the inventory. */
  readonly list: Target[] = [];
  /** Of each of them, in the same order. */
  readonly rows: GuestRows[] = [];

  /** @param time monotonic seconds */
  follow(inventory: readonly Guest[], time: number): void {
    this.list.length = 0;
    this.rows.length = 0;
    let news = false;
    for (const vm of inventory) {
      let target = this.known.get(vm);
      if (target === undefined) {
        target = new Target(vm, time);
        this.known.set(vm, target);
        news = true;
      }
      target.begin(time);
      this.list.push(target);
      this.rows.push(target.rows);
    }
    if (news) markTwins(this.list.map(({ rows }) => rows));
    if (this.known.size > this.list.length)
      this.known = new Map(this.list.map((target) => [target.guest, target]));
  }
}
