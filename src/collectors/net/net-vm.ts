import type { Guest } from '../../guests/guest.ts';
import { Counters } from '../../kernel/base/counters.ts';
import { NetDev, parseNetDev } from '../../kernel/proc/proc-net-dev.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { GuestTarget, Wanted } from '../collector.ts';
import type { Interface } from './net-traffic.ts';
import { TrafficSum, fromHost, fromTap, trafficSlots } from './net-traffic.ts';
import { now } from '../readings.ts';

const vmSlots = slots('net', 'vm');
const sumSlots = trafficSlots('vm');
const nicSlots = trafficSlots('vm_nic');

/** Counters of interfaces at one instant. */
interface Reading {
  /** Monotonic seconds. */
  readonly time: number;
  get(name: string): Interface | undefined;
}

/** Traffic of one VM's taps. */
export class VmNet {
  private readonly sum = new TrafficSum(fromTap);
  /** The interfaces of its own network namespace, or those that only libvirt tells about. */
  private readonly own: NetDev | Map<string, { readonly counters: Counters }>;

  constructor(vm: Guest) {
    this.own = vm.traffic === undefined ? new NetDev() : new Map<string, { readonly counters: Counters }>();
  }

  /** @param host the interfaces of the host, among which most VMs have theirs; undefined if they cannot be read */
  collect(target: GuestTarget, wanted: Wanted, host: Reading | undefined): void {
    const { guest } = target;
    const reading = guest.traffic !== undefined || guest.netDev !== undefined ? this.readOwn(guest) : host;
    if (reading === undefined) return;
    this.sum.begin(reading.time);
    let names = '';
    for (const { device, macvtap } of guest.nics) {
      const counters = reading.get(device);
      if (counters === undefined) continue;
      names = names === '' ? device : `${names};${device}`;
      const row = wanted.devices ? target.devices.nics.add(device) : undefined;
      this.sum.add(counters, row, nicSlots, macvtap === true ? fromHost : fromTap);
    }
    this.sum.finish(target.row, sumSlots);
    if (names !== '') target.row.texts[vmSlots.net_interfaces] = names;
  }

  private readOwn({ netDev, traffic }: Guest): Reading | undefined {
    const { own } = this;
    if (own instanceof NetDev) {
      if (netDev === undefined || !readRecord(netDev, parseNetDev, own)) return undefined;
      return { time: now(), get: (name) => own.get(name) };
    }
    for (const { device, counters } of traffic?.nics ?? []) {
      const known = own.get(device) ?? { counters: new Counters(counters.low.length) };
      known.counters.copy(counters);
      own.set(device, known);
    }
    return traffic && { time: traffic.time, get: (name) => own.get(name) };
  }
}
