import type { Row } from '../../catalogue/row.ts';
import type { Thresholds } from '../../config/thresholds.ts';
import { valueOf } from '../values/row-values.ts';
import { judge } from './verdict.ts';

/** The latencies of the device below, and what is above it, that answer for a latency of the disk; flushes have none. */
const directions: Readonly<Record<string, readonly (readonly [device: string, above: string])[]>> = {
  disk_lat_rd: [['disk_davg_rd', 'disk_kavg_rd']],
  disk_lat_wr: [['disk_davg_wr', 'disk_kavg_wr']],
  disk_lat_avg: [
    ['disk_davg_rd', 'disk_kavg_rd'],
    ['disk_davg_wr', 'disk_kavg_wr'],
  ],
};
/** A device that takes less than a fifth is fast, even if it got each operation in a few parts. */
const FAST = 1 / 5;

/**
 * Why a disk waits for something else than its storage: it has reached a limit of its own, or most of the time does not
 * pass in the device below. Undefined where neither is so, or that is not known.
 * @param id of the latency, which is `latency` ms
 */
export function ownReason(
  disk: Row,
  id: string,
  latency: number,
  thresholds: Thresholds,
): 'limit' | 'device' | undefined {
  const known = (directions[id] ?? [])
    .map(([device, above]) => [valueOf(disk, device), valueOf(disk, above)] as const)
    .filter(([device]) => device >= 0);
  if (known.some(([device]) => device >= latency / 2)) return undefined;
  const used = valueOf(disk, 'disk_limit_used');
  if (judge(thresholds, 'disk_limit_used', used, disk) !== 'ok') return 'limit';
  const isFast = known.every(([device, above]) => device <= latency * FAST || above >= latency / 2);
  return known.length > 0 && isFast ? 'device' : undefined;
}
