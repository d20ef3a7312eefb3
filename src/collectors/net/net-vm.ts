import type { NetworkSource, NicLimit } from '../../guests/sources.ts';
import { Counters } from '../../kernel/base/counters.ts';
import { NetDev, parseNetDev } from '../../kernel/proc/proc-net-dev.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { GuestTarget, Wanted } from '../collector.ts';
import type { Interface } from './net-traffic.ts';
import { TrafficSum, sameEnd, otherEnd, trafficSlots } from './net-traffic.ts';
import { now } from '../readings.ts';

const vmSlots = slots('net', 'vm');
const sumSlots = trafficSlots('vm');
const limitSlots = slots('net', 'vm_nic');
const BITS = 8;
const MEGA = 1e6;
const nicSlots = trafficSlots('vm_nic');

/** Counters of interfaces at one instant. */
interface Reading {
  /** Monotonic seconds. */
  readonly time: number;
  get(name: string): Interface | undefined;
}

/** Reads the interfaces among which those of a VM are; undefined if they cannot be read. @param host those of the host */
type Read = (host: Reading | undefined) => Reading | undefined;

function readerOf(source: NetworkSource): Read {
  switch (source.kind) {
    case 'host':
      return (host) => host;
    case 'namespace': {
      const table = new NetDev();
      const get = (name: string): Interface | undefined => table.get(name);
      return () => (readRecord(source.netDev, parseNetDev, table) ? { time: now(), get } : undefined);
    }
    case 'told': {
      const known = new Map<string, Interface>();
      const get = (name: string): Interface | undefined => known.get(name);
      return () => {
        for (const { device, counters } of source.nics) {
          const own = known.get(device) ?? { counters: new Counters(counters.length) };
          own.counters.copy(counters);
          known.set(device, own);
        }
        return { time: source.time, get };
      };
    }
  }
}

/**
 * Sets the limit of a NIC, the smaller one if it has two, and how close one of its rates, which are set before, comes to
 * its limit.
 */
function setLimit(values: Float64Array, { received = Infinity, sent = Infinity }: NicLimit): void {
  const share = (slot: number, bytes: number): number => ((values[slot] as number) * MEGA) / BITS / bytes;
  const used = Math.max(share(limitSlots.net_rx_mbit, received), share(limitSlots.net_tx_mbit, sent));
  values[limitSlots.net_mbit_limit] = (Math.min(received, sent) * BITS) / MEGA;
  values[limitSlots.net_limit_used] = Math.min(100, used * 100);
}

/** The columns for a guest, by the end of the link that is read. */
const columnsAt = { host: otherEnd, guest: sameEnd } as const;

/** Traffic of one VM's NICs. */
export class VmNet {
  private readonly sum = new TrafficSum(otherEnd);
  private readonly read: Read;

  constructor(source: NetworkSource) {
    this.read = readerOf(source);
  }

  /** @param host the interfaces of the host; undefined if they cannot be read */
  collect(target: GuestTarget, wanted: Wanted, host: Reading | undefined): void {
    const reading = this.read(host);
    if (reading === undefined) return;
    this.sum.begin(reading.time);
    let names = '';
    for (const { device, end, limit } of target.guest.nics) {
      const counters = reading.get(device);
      if (counters === undefined) continue;
      names = names === '' ? device : `${names};${device}`;
      const row = wanted.devices ? target.devices.nics.add(device) : undefined;
      this.sum.add(counters, row, nicSlots, columnsAt[end]);
      if (row !== undefined && limit !== undefined) setLimit(row.values, limit);
    }
    this.sum.finish(target.row, sumSlots);
    if (names !== '') target.row.texts[vmSlots.net_interfaces] = names;
  }
}
