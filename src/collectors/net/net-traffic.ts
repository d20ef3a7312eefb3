import { Counters, growth, steppedBack } from '../../kernel/base/counters.ts';
import { netDevCounters } from '../../kernel/proc/proc-net-dev.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import { Totals, meanPerOperation } from '../readings.ts';

/** The rates of one direction and the remaining columns, by the ids of the catalogue. */
const rateIds = [
  'net_rx_bytes',
  'net_rx_packets',
  'net_rx_errors',
  'net_rx_dropped',
  'net_rx_fifo',
  'net_rx_frame',
  'net_rx_compressed',
  'net_rx_multicast',
  'net_tx_bytes',
  'net_tx_packets',
  'net_tx_errors',
  'net_tx_dropped',
  'net_tx_fifo',
  'net_tx_collisions',
  'net_tx_carrier',
  'net_tx_compressed',
] as const;
type RateId = (typeof rateIds)[number];
const RATES = rateIds.length;

const c = netDevCounters;

/** Which column of /proc/net/dev feeds which rate of the interface itself, in the order of the ids. */
export const sameEnd: readonly number[] = [
  c.rxBytes,
  c.rxPackets,
  c.rxErrors,
  c.rxDropped,
  c.rxFifo,
  c.rxFrame,
  c.rxCompressed,
  c.rxMulticast,
  c.txBytes,
  c.txPackets,
  c.txErrors,
  c.txDropped,
  c.txFifo,
  c.txCollisions,
  c.txCarrier,
  c.txCompressed,
];

/**
 * The same for the other end of the link: a VM receives what the host transmits on its tap. What exists in one direction only (framing,
 * multicast; collisions, carrier) has no counterpart in the other and is left where the kernel counts it.
 */
export const otherEnd: readonly number[] = [
  c.txBytes,
  c.txPackets,
  c.txErrors,
  c.txDropped,
  c.txFifo,
  c.rxFrame,
  c.txCompressed,
  c.rxMulticast,
  c.rxBytes,
  c.rxPackets,
  c.rxErrors,
  c.rxDropped,
  c.rxFifo,
  c.txCollisions,
  c.txCarrier,
  c.rxCompressed,
];

const RX_BYTES = rateIds.indexOf('net_rx_bytes');
const RX_PACKETS = rateIds.indexOf('net_rx_packets');
const RX_DROPPED = rateIds.indexOf('net_rx_dropped');
const TX_BYTES = rateIds.indexOf('net_tx_bytes');
const TX_PACKETS = rateIds.indexOf('net_tx_packets');
const TX_DROPPED = rateIds.indexOf('net_tx_dropped');
const BITS_PER_MBIT = 1e6 / 8;

/** Where the values of a scope go. */
interface TrafficSlots {
  readonly rates: readonly number[];
  readonly rxMbit: number;
  readonly txMbit: number;
  readonly rxDropPercent: number;
  readonly txDropPercent: number;
}

/** The slots of a scope with traffic. */
export function trafficSlots(scope: 'vm' | 'vm_nic' | 'host' | 'host_nic'): TrafficSlots {
  const own: Readonly<
    Record<RateId | 'net_rx_mbit' | 'net_tx_mbit' | 'net_rx_drop_percent' | 'net_tx_drop_percent', number>
  > = slots('net', scope);
  return {
    rates: rateIds.map((id) => own[id]),
    rxMbit: own.net_rx_mbit,
    txMbit: own.net_tx_mbit,
    rxDropPercent: own.net_rx_drop_percent,
    txDropPercent: own.net_tx_drop_percent,
  };
}

/**
 * Sets the rates, megabits and drop percentages of one interface or a sum.
 * @param grown what each counter grew by, in the order of the ids; NaN where not known
 * @param elapsed seconds
 */
export function deriveTraffic(
  grown: Float64Array,
  elapsed: number,
  values: Float64Array,
  to: TrafficSlots,
): void {
  for (let i = 0; i < RATES; i++) values[to.rates[i] as number] = (grown[i] as number) / elapsed;
  values[to.rxMbit] = (grown[RX_BYTES] as number) / BITS_PER_MBIT / elapsed;
  values[to.txMbit] = (grown[TX_BYTES] as number) / BITS_PER_MBIT / elapsed;
  values[to.rxDropPercent] = dropPercent(grown[RX_DROPPED] as number, grown[RX_PACKETS] as number);
  values[to.txDropPercent] = dropPercent(grown[TX_DROPPED] as number, grown[TX_PACKETS] as number);
}

function dropPercent(dropped: number, packets: number): number {
  return meanPerOperation(dropped, dropped + packets) * 100;
}

/** An interface that keeps its object as long as it exists. */
export interface Interface {
  /** In the columns of /proc/net/dev. */
  readonly counters: Counters;
}

/** What grows on every interface that is in use. */
const traffic = [c.rxBytes, c.rxPackets, c.txBytes, c.txPackets];

/** The last reading of one interface. */
interface Last {
  time: number;
  readonly counters: Counters;
}

/** Derives the traffic of a set of interfaces, each by itself and all in sum, from cycle to cycle. */
export class TrafficSum {
  private readonly last = new Map<Interface, Last>();
  private readonly grown = new Float64Array(RATES);
  private readonly sum = new Float64Array(RATES);
  private readonly totals = new Totals(RATES);
  private time = NaN;
  private elapsed = NaN;
  /** Interfaces of this cycle, and those of them that are in the sum. */
  private seen = 0;
  private added = 0;

  /** @param columns which column feeds which rate: {@link sameEnd} or {@link otherEnd} */
  constructor(private readonly columns: readonly number[]) {}

  /** Starts a cycle; `time` is when the counters were read, in monotonic seconds. */
  begin(time: number): void {
    this.time = time;
    this.elapsed = NaN;
    this.seen = 0;
    this.added = 0;
    this.sum.fill(0);
  }

  /** Whether a count of an interface went backwards since the last cycle: it may be another one of that name. */
  wentBack(device: Interface): boolean {
    const last = this.last.get(device);
    if (last === undefined) return false;
    return traffic.some((column) => steppedBack(last.counters, device.counters, column));
  }

  /** Forgets the last reading of an interface: the next one is of another interface of its name. */
  forget(device: Interface): void {
    this.last.delete(device);
  }

  /**
   * Takes an interface into the sum and, where it has a row, sets its own values.
   * @param columns other ones than those of the sum
   * @param inSum false for an interface that has a row alone
   */
  add(
    device: Interface,
    row: Row | undefined,
    to: TrafficSlots,
    columns: readonly number[] = this.columns,
    inSum = true,
  ): void {
    this.seen++;
    if (inSum) this.added++;
    if (row !== undefined) {
      for (let i = 0; i < RATES; i++)
        row.counters[to.rates[i] as number] = device.counters.value(columns[i] as number);
    }
    const last = this.last.get(device);
    if (last === undefined) {
      const counters = new Counters(device.counters.length);
      counters.copy(device.counters);
      this.last.set(device, { time: this.time, counters });
      return;
    }
    const elapsed = this.time - last.time;
    // The same reading again: nothing is known of the time since.
    if (elapsed === 0) return;
    for (let i = 0; i < RATES; i++) {
      const delta = growth(last.counters, device.counters, columns[i] as number);
      this.grown[i] = delta;
      if (!inSum) continue;
      this.sum[i] = (this.sum[i] as number) + delta;
      this.totals.add(i, delta);
    }
    last.time = this.time;
    last.counters.copy(device.counters);
    if (inSum) this.elapsed = elapsed;
    if (row !== undefined) deriveTraffic(this.grown, elapsed, row.values, to);
  }

  /** Sets the values of the sum, if any interface gave some. */
  finish({ values, counters }: Row, to: TrafficSlots): void {
    if (this.added > 0) for (let i = 0; i < RATES; i++) counters[to.rates[i] as number] = this.totals.at(i);
    if (!Number.isNaN(this.elapsed)) deriveTraffic(this.sum, this.elapsed, values, to);
    if (this.last.size > this.seen) this.prune();
  }

  /** Forgets interfaces that are gone. */
  private prune(): void {
    for (const [device, { time }] of this.last) if (time !== this.time) this.last.delete(device);
  }
}
