import type { DiskLimits, LimitName } from '../../qmp/throttle.ts';
import { limitsIn } from '../../qmp/throttle.ts';
import type { NicLimit } from '../sources.ts';
import { properties } from './pve-text.ts';

const MIB = 2 ** 20;
const NIC_KEY = /^net(\d+)$/;

/** How the options of a drive name its limits; MiB a second for bytes. */
const limitOptions = {
  operations: 'iops',
  reads: 'iops_rd',
  writes: 'iops_wr',
  bytes: 'mbps',
  readBytes: 'mbps_rd',
  writeBytes: 'mbps_wr',
} as const satisfies Record<LimitName, string>;

/** The limits of a drive. @param options as {@link properties} has them */
export function driveLimits(options: ReadonlyMap<string, string>): DiskLimits {
  const values = Object.fromEntries([...options].map(([key, value]) => [key, Number(value)]));
  return limitsIn(values, limitOptions, '_max', (name) => (/bytes/i.test(name) ? MIB : 1));
}

/** What NICs may carry, by their numbers; only of those with a limit. */
export type NicRates = ReadonlyMap<number, NicLimit>;

/** What a guest may use of CPUs and network as it is configured. */
export interface PveLimits {
  readonly rates: NicRates;
  /** CPUs that the guest may use in all. */
  readonly cpuLimit?: number;
  /** Its share of the CPUs against others, 100 where nothing is said. */
  readonly cpuUnits?: number;
}

/** Reads them from the keys of a configuration. Source: qm.conf(5). */
export function limitsOf(keys: ReadonlyMap<string, string>): PveLimits {
  return {
    rates: ratesOf(keys),
    ...positive('cpuLimit', keys.get('cpulimit')),
    ...positive('cpuUnits', keys.get('cpuunits')),
  };
}

/** A number; 0 stands for nothing set. */
function positive<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: number } {
  const number = Number(value);
  return number > 0 ? ({ [key]: number } as { readonly [P in K]?: number }) : {};
}

/** Limits of NICs: `rate=` counts MiB a second in each direction. Source: qm.conf(5), pct.conf(5). */
export function ratesOf(keys: ReadonlyMap<string, string>): NicRates {
  const rates = new Map<number, NicLimit>();
  for (const [key, value] of keys) {
    const number = NIC_KEY.exec(key)?.[1];
    const rate = Number(properties(value).get('rate'));
    if (number !== undefined && rate > 0)
      rates.set(Number(number), { received: rate * MIB, sent: rate * MIB });
  }
  return rates;
}
