import { KernelFile } from '../../kernel/base/kernel-file.ts';
import { isPhysicalNic, nicIndex, nicSpeed } from '../../kernel/sys/net-device.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import type { NetDevice } from '../../kernel/proc/proc-net-dev.ts';
import { NetDev, parseNetDev } from '../../kernel/proc/proc-net-dev.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Collector, HostTarget, GuestTarget, Wanted } from '../collector.ts';
import { DeviceChoice } from '../device-choice.ts';
import { TrafficSum, sameEnd, trafficSlots } from './net-traffic.ts';
import { VmNet } from './net-vm.ts';
import { PerGuest } from '../per-guest.ts';
import { now } from '../readings.ts';
import { SlowBeat } from '../slow-beat.ts';

const hostSlots = slots('net', 'host');
const hostNicSlots = slots('net', 'host_nic');
const sumSlots = trafficSlots('host');
const nicSlots = trafficSlots('host_nic');

/** An interface of the host that has a row or is in the sum. */
interface Nic {
  readonly device: NetDevice;
  /** See {@link nicIndex}. */
  readonly index: number;
  readonly inSum: boolean;
  readonly inRows: boolean;
  /** Megabit per second; NaN where not known. */
  readonly speed: number;
}

/** Traffic of the host's NICs and of each VM's taps, from one read of /proc/net/dev for all. */
export class NetCollector implements Collector {
  readonly name = 'net';
  private readonly file: KernelFile;
  private readonly table = new NetDev();
  private readonly host = new TrafficSum(sameEnd);
  private readonly vms = new PerGuest(({ guest }) => new VmNet(guest.sources.network));
  private readonly summed: DeviceChoice;
  private readonly shown: DeviceChoice;
  private nics: readonly Nic[] = [];
  /** Whether an interface is physical; cached, because hundreds of taps are not. */
  private physical = new Map<NetDevice, boolean>();
  /** Which interfaces there are and how fast changes seldom. */
  private readonly beat = new SlowBeat(5);
  private readonly physicalBeat = new SlowBeat(60);

  /**
   * @param netdev the interfaces the host sum runs over; undefined for all physical ones
   * @param rows the interfaces of the host that have a row; undefined for those in the sum
   */
  constructor(
    private readonly paths: Paths,
    private readonly wanted: Wanted,
    netdev: readonly string[] | undefined,
    rows?: readonly string[],
  ) {
    this.file = new KernelFile(paths.hostNet('dev'), true);
    this.summed = new DeviceChoice(netdev);
    this.shown = new DeviceChoice(rows);
  }

  collect(host: HostTarget, vms: readonly GuestTarget[], attend?: () => void): void {
    const known = readRecord(this.file, parseNetDev, this.table);
    const time = now();
    if (known) this.collectHost(host, time);
    const reading = known ? { time, get: (name: string) => this.table.get(name) } : undefined;
    for (const target of vms) {
      attend?.();
      this.vms.of(target).collect(target, this.wanted, reading);
    }
  }

  private collectHost(target: HostTarget, time: number): void {
    this.lookAtNics(time);
    const { values } = target.row;
    let speed = 0;
    this.host.begin(time);
    for (const { device, inSum, inRows, speed: nicSpeed } of this.nics) {
      if (this.table.get(device.name) !== device) continue;
      const row = inRows ? target.devices.nics.add(device.name) : undefined;
      this.host.add(device, row, nicSlots, sameEnd, inSum);
      if (row !== undefined) row.values[hostNicSlots.net_speed] = nicSpeed;
      if (inSum && nicSpeed > 0) speed += nicSpeed;
    }
    this.host.finish(target.row, sumSlots);
    if (speed > 0) values[hostSlots.net_speed] = speed;
  }

  /** Looks at the interfaces when it is time to, and when one seems to have taken the name of another one. */
  private lookAtNics(time: number): void {
    const wentBack = this.nics.some(({ device }) => this.host.wentBack(device));
    if (!this.beat.due(time) && !wentBack) return;
    if (this.physicalBeat.due(time)) this.physical.clear();
    if (this.choose()) return;
    this.physical.clear();
    this.choose();
  }

  /**
   * Looks which interfaces are in the sum or have a row.
   * @returns false when a name has gone to another interface: then all must be checked again, because the former one may
   * now have a name that did not matter so far
   */
  private choose(): boolean {
    const before = new Map(this.nics.map(({ device, index }) => [device, index]));
    this.physical = new Map(this.table.rows.map((device) => [device, this.isPhysical(device)]));
    this.nics = this.table.rows.flatMap((device) => this.chosen(device));
    let same = true;
    for (const { device, index } of this.nics) {
      if (Object.is(before.get(device) ?? index, index)) continue;
      this.host.forget(device);
      same = false;
    }
    return same;
  }

  private chosen(device: NetDevice): Nic[] {
    const inSum = this.summed.has(this.physical.get(device) === true, device.name);
    const inRows = this.wanted.devices && this.shown.has(inSum, device.name);
    if (!inSum && !inRows) return [];
    const { name } = device;
    return [{ device, inSum, inRows, index: nicIndex(this.paths, name), speed: nicSpeed(this.paths, name) }];
  }

  private isPhysical(device: NetDevice): boolean {
    return this.physical.get(device) ?? isPhysicalNic(this.paths, device.name);
  }

  close(): void {
    this.file.close();
  }
}
