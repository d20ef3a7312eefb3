import type { Row } from '../../catalogue/row.ts';
import type { Thresholds } from '../../config/thresholds.ts';
import { valueOf } from '../values/row-values.ts';
import { judge } from './verdict.ts';

/** The latencies of the device below that answer for a latency of the disk; nothing tells how long it takes for a flush. */
const below: Readonly<Record<string, readonly string[]>> = {
  disk_lat_rd: ['disk_davg_rd'],
  disk_lat_wr: ['disk_davg_wr'],
  disk_lat_avg: ['disk_davg_rd', 'disk_davg_wr'],
};

/**
 * Why a disk waits for something else than its storage: it has reached a limit of its own, or the device below answers in
 * less than half of the time. Undefined where neither is so, or the device is not known.
 * @param id of the latency, which is `latency` ms
 */
export function ownReason(
  disk: Row,
  id: string,
  latency: number,
  thresholds: Thresholds,
): 'limit' | 'device' | undefined {
  const known = (below[id] ?? []).map((each) => valueOf(disk, each)).filter((value) => value >= 0);
  const isSlow = known.some((value) => value >= latency / 2);
  if (isSlow) return undefined;
  const used = valueOf(disk, 'disk_limit_used');
  if (judge(thresholds, 'disk_limit_used', used, disk) !== 'ok') return 'limit';
  return known.length > 0 ? 'device' : undefined;
}
