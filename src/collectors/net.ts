import { KernelFile } from '../kernel/kernel-file.ts';
import { isPhysicalNic, nicSpeed } from '../kernel/net-device.ts';
import type { Paths } from '../kernel/paths.ts';
import { NetDev, parseNetDev } from '../kernel/proc-net-dev.ts';
import { readRecord } from '../kernel/read.ts';
import { slots } from '../metrics/catalogue.ts';
import type { Collector, HostTarget, VmTarget, Wanted } from './collector.ts';
import { TrafficSum, fromHost, fromTap, trafficSlots } from './net-traffic.ts';
import { now } from './readings.ts';
import { SlowBeat } from './slow-beat.ts';

const hostSlots = slots('net', 'host');
const hostNicSlots = slots('net', 'host_nic');
const vmSlots = slots('net', 'vm');
const slotsOf = {
  vm: trafficSlots('vm'),
  vm_nic: trafficSlots('vm_nic'),
  host: trafficSlots('host'),
  host_nic: trafficSlots('host_nic'),
};

/** Traffic of the host's NICs and of each VM's taps, from one read of /proc/net/dev for all. */
export class NetCollector implements Collector {
  readonly name = 'net';
  private readonly file: KernelFile;
  private readonly table = new NetDev();
  private readonly host = new TrafficSum(fromHost);
  private readonly vms = new WeakMap<VmTarget, TrafficSum>();
  private nics = new Map<string, number>();
  /** Which interfaces are physical and how fast changes seldom. */
  private readonly beat = new SlowBeat(5);

  /** @param netdev the interfaces the host sum runs over; undefined for all physical ones */
  constructor(
    private readonly paths: Paths,
    private readonly wanted: Wanted,
    private readonly netdev: readonly string[] | undefined,
  ) {
    this.file = new KernelFile(paths.proc('net/dev'), true);
  }

  collect(host: HostTarget, vms: readonly VmTarget[]): void {
    if (!readRecord(this.file, parseNetDev, this.table)) return;
    const time = now();
    this.lookAtNics();
    this.collectHost(host, time);
    for (const target of vms) this.collectVm(target, time);
  }

  private collectHost(target: HostTarget, time: number): void {
    const { values } = target.row;
    let speed = 0;
    this.host.begin(time);
    for (const [name, nicSpeed] of this.nics) {
      const device = this.table.get(name);
      if (device === undefined) continue;
      const row = this.wanted.devices ? target.nicRows.add(name) : undefined;
      this.host.add(device, row?.values, slotsOf.host_nic);
      if (row !== undefined) row.values[hostNicSlots.net_speed] = nicSpeed;
      if (nicSpeed > 0) speed += nicSpeed;
    }
    this.host.finish(values, slotsOf.host);
    if (speed > 0) values[hostSlots.net_speed] = speed;
  }

  private collectVm(target: VmTarget, time: number): void {
    const { nics } = target.vm;
    if (nics.length === 0) return;
    let sum = this.vms.get(target);
    if (sum === undefined) {
      sum = new TrafficSum(fromTap);
      this.vms.set(target, sum);
    }
    sum.begin(time);
    let names = '';
    for (const { device: name } of nics) {
      const device = this.table.get(name);
      if (device === undefined) continue;
      names = names === '' ? name : `${names};${name}`;
      sum.add(device, this.wanted.devices ? target.nicRows.add(name).values : undefined, slotsOf.vm_nic);
    }
    sum.finish(target.row.values, slotsOf.vm);
    if (names !== '') target.row.texts[vmSlots.net_interfaces] = names;
  }

  private lookAtNics(): void {
    if (!this.beat.due(now())) return;
    const names =
      this.netdev ??
      this.table.rows.map(({ name }) => name).filter((name) => isPhysicalNic(this.paths, name));
    this.nics = new Map(names.map((name) => [name, nicSpeed(this.paths, name)]));
  }

  close(): void {
    this.file.close();
  }
}
