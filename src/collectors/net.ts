import { KernelFile } from '../kernel/kernel-file.ts';
import { isPhysicalNic, nicSpeed } from '../kernel/net-device.ts';
import type { Paths } from '../kernel/paths.ts';
import { NetDev, parseNetDev } from '../kernel/proc-net-dev.ts';
import { readRecord } from '../kernel/read.ts';
import { slots } from '../metrics/catalogue.ts';
import type { Collector, HostTarget, VmTarget, Wanted } from './collector.ts';
import { TrafficSum, fromHost, trafficSlots } from './net-traffic.ts';
import { VmNet } from './net-vm.ts';
import { PerVm } from './per-vm.ts';
import { now } from './readings.ts';
import { SlowBeat } from './slow-beat.ts';

const hostSlots = slots('net', 'host');
const hostNicSlots = slots('net', 'host_nic');
const sumSlots = trafficSlots('host');
const nicSlots = trafficSlots('host_nic');

/** Traffic of the host's NICs and of each VM's taps, from one read of /proc/net/dev for all. */
export class NetCollector implements Collector {
  readonly name = 'net';
  private readonly file: KernelFile;
  private readonly table = new NetDev();
  private readonly host = new TrafficSum(fromHost);
  private readonly vms = new PerVm(({ vm }) => new VmNet(vm));
  /** Speed by name. */
  private nics = new Map<string, number>();
  /** Whether an interface is physical, by name: asked once, for hundreds of taps are not. */
  private physical = new Map<string, boolean>();
  /** Which interfaces there are and how fast changes seldom. */
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
    const known = readRecord(this.file, parseNetDev, this.table);
    const time = now();
    if (known) this.collectHost(host, time);
    const reading = known ? { time, get: (name: string) => this.table.get(name) } : undefined;
    for (const target of vms) this.vms.of(target).collect(target, this.wanted, reading);
  }

  private collectHost(target: HostTarget, time: number): void {
    this.lookAtNics();
    const { values } = target.row;
    let speed = 0;
    this.host.begin(time);
    for (const [name, nicSpeed] of this.nics) {
      const device = this.table.get(name);
      if (device === undefined) continue;
      const row = this.wanted.devices ? target.nicRows.add(name) : undefined;
      this.host.add(device, row, nicSlots);
      if (row !== undefined) row.values[hostNicSlots.net_speed] = nicSpeed;
      if (nicSpeed > 0) speed += nicSpeed;
    }
    this.host.finish(target.row, sumSlots);
    if (speed > 0) values[hostSlots.net_speed] = speed;
  }

  private lookAtNics(): void {
    if (!this.beat.due(now())) return;
    const names = this.netdev ?? this.physicalNics();
    this.nics = new Map(names.map((name) => [name, nicSpeed(this.paths, name)]));
  }

  private physicalNics(): string[] {
    const known = this.physical;
    const names = this.table.rows.map(({ name }) => name);
    this.physical = new Map(names.map((name) => [name, known.get(name) ?? isPhysicalNic(this.paths, name)]));
    return names.filter((name) => this.physical.get(name));
  }

  close(): void {
    this.file.close();
  }
}
