import { slots } from '../catalogue/catalogue.ts';
import { ofDisk, ofNic } from './device-signals.ts';
import { of } from './guest-signals.ts';
import type { GuestSignals } from './guest-signals.ts';
import { ofHostDisk } from './host-signals.ts';
import type { Situation } from './situation.ts';
import type { Taker } from './verdict.ts';
import { number } from './wording.ts';

const { disk_device: BELOW } = slots('disk', 'vm_disk');
/** Points by which another one must be ahead to be named first. */
const AHEAD = 10;

/** A consumer of a scarce resource. */
export interface Share extends Taker {
  readonly signals: GuestSignals | undefined;
}

/** What passes through a device below virtual disks. */
export interface DeviceLoad {
  readonly operations: number;
  readonly mib: number;
  /** Largest share first. */
  readonly shares: readonly Share[];
}

/**
 * Shares of the busy time of some CPUs, largest first: guests, proxtop, and the rest as the host. A guest that may run on
 * more CPUs counts with a proportional part of its time, as it is not known where it ran.
 *
 * @param cpus undefined for all of the host
 */
export function cpuShares(
  { host, guests, own }: Situation,
  cpus: ReadonlySet<number> | undefined,
): readonly Share[] {
  const count = cpus?.size ?? host.cores;
  const total = host.busy(cpus) * count;
  if (!(total > 0)) return [];
  const share = (signals: GuestSignals | undefined, name: string, percent: number): Share => ({
    signals,
    guest: signals?.rows,
    name,
    share: Math.min(100, (percent / total) * 100),
    amount: `${number(percent)} % CPU`,
  });
  const shares: Share[] = [];
  let left = total;
  for (const guest of guests) {
    const percent = guest.means.of(of.cpus) * partOn(guest, cpus, host.cores);
    if (!(percent > 0)) continue;
    shares.push(share(guest, '', percent));
    left -= percent;
  }
  if (cpus === undefined && own > 0) {
    shares.push(share(undefined, 'proxtop', Math.min(own, Math.max(0, left))));
    left -= own;
  }
  shares.push(share(undefined, 'host', Math.max(0, left)));
  return shares.sort((a, b) => b.share - a.share);
}

/** Which part of its CPU time a guest has on some CPUs. */
function partOn(guest: GuestSignals, cpus: ReadonlySet<number> | undefined, cores: number): number {
  if (cpus === undefined) return 1;
  const { affinity } = guest;
  if (affinity === undefined) return cpus.size / cores;
  let both = 0;
  for (const cpu of affinity) if (cpus.has(cpu)) both++;
  return both / affinity.size;
}

/** Who asks how much of a device of the host, of which the virtual disks of guests are a part. @param device its name */
export function deviceLoad({ host, guests }: Situation, device: string): DeviceLoad {
  const loads: { guest: GuestSignals; operations: number; mib: number }[] = [];
  for (const guest of guests) {
    let [operations, mib] = [0, 0];
    for (const disk of guest.disks) {
      if (disk.row.texts[BELOW] !== device) continue;
      operations += disk.means.of(ofDisk.operations) || 0;
      mib += disk.means.of(ofDisk.mib) || 0;
    }
    if (operations > 0 || mib > 0) loads.push({ guest, operations, mib });
  }
  const ofGuests = {
    operations: loads.reduce((sum, load) => sum + load.operations, 0),
    mib: loads.reduce((sum, load) => sum + load.mib, 0),
  };
  // The device counts after the kernel has merged requests, or split them: no part of it is more than the whole.
  const known = host.disks.get(device);
  const operations = Math.max(ofGuests.operations, known?.of(ofHostDisk.operations) ?? 0) || 0;
  const mib = Math.max(ofGuests.mib, known?.of(ofHostDisk.mib) ?? 0) || 0;
  const share = (one: { operations: number; mib: number }): Pick<Share, 'share' | 'amount'> => {
    const byOperations = operations > 0 ? (one.operations / operations) * 100 : 0;
    const byBytes = mib > 0 ? (one.mib / mib) * 100 : 0;
    return byOperations >= byBytes
      ? { share: byOperations, amount: `${number(one.operations)} IOPS` }
      : { share: byBytes, amount: `${number(one.mib)} MiB/s` };
  };
  const rest = {
    operations: Math.max(0, operations - ofGuests.operations),
    mib: Math.max(0, mib - ofGuests.mib),
  };
  const shares: Share[] = loads.map(({ guest, ...load }) => ({
    signals: guest,
    guest: guest.rows,
    name: '',
    ...share(load),
  }));
  shares.push({ signals: undefined, guest: undefined, name: 'host', ...share(rest) });
  return { operations, mib, shares: shares.sort((a, b) => b.share - a.share) };
}

/** Which part of what a NIC of the host carries in one direction each guest has at most: some may stay inside. */
export function nicShares(guests: readonly GuestSignals[], direction: 'rx' | 'tx', total: number): Share[] {
  const shares: Share[] = [];
  for (const guest of guests) {
    let mbit = 0;
    for (const nic of guest.nics) mbit += nic.means.of(ofNic[direction]) || 0;
    if (mbit <= 0) continue;
    const share = Math.min(100, (mbit / total) * 100);
    shares.push({
      signals: guest,
      guest: guest.rows,
      name: '',
      share,
      amount: `${number(mbit)} Mbit/s`,
    });
  }
  return shares.sort((a, b) => b.share - a.share);
}

/** Those with at least some part. */
export function listed(shares: readonly Share[]): readonly Taker[] {
  return shares.filter(({ share }) => share >= 1);
}

/** Shares with the one to name first: the previous one, unless another one is well ahead for a while. */
export function steady(shares: readonly Share[], cause: string, situation: Situation): readonly Share[] {
  const [largest] = shares;
  if (largest === undefined) return shares;
  const keyOf = ({ signals, name }: Share): string => signals?.key ?? name;
  const leader = situation.leader(cause);
  const before = shares.find((share) => keyOf(share) === leader.value);
  const candidate = before !== undefined && largest.share < before.share + AHEAD ? before : largest;
  const first = leader.step(keyOf(candidate), situation.time);
  return [
    ...shares.filter((share) => keyOf(share) === first),
    ...shares.filter((share) => keyOf(share) !== first),
  ];
}
