import type { DiskLimits, LimitName } from '../../qmp/throttle.ts';
import { limitsIn } from '../../qmp/throttle.ts';

const MIB = 2 ** 20;

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
