import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { Collected } from '../collect.ts';
import { packPlanes } from '../shared/codes.ts';
import type { Planes } from '../shared/codes.ts';
import type { PlannedMetric } from '../plan.ts';
import type { Series } from '../series.ts';

const compress = promisify<Uint8Array, { level: number }, Buffer>(deflate);

/** The values of one metric: packed, compressed (zlib), in base64. */
export interface Block {
  readonly metric: PlannedMetric;
  readonly text: string;
}

/** A block for each metric that a host has: its values for all hosts, one after the other. */
export function hostBlocks({ hostPlan, hosts, buckets }: Collected): Promise<readonly Block[]> {
  return blocks(
    hostPlan,
    hosts.map(({ series }) => series),
    buckets.count,
  );
}

/** A block for each metric that a guest has: its values for all guests, one after the other. */
export function guestBlocks({ guestPlan, guests, buckets }: Collected): Promise<readonly Block[]> {
  return blocks(
    guestPlan,
    guests.map(({ series }) => series),
    buckets.count,
  );
}

async function blocks(
  plan: readonly PlannedMetric[],
  all: readonly Series[],
  buckets: number,
): Promise<readonly Block[]> {
  const found: Block[] = [];
  for (const [index, metric] of plan.entries()) {
    if (!all.some((series) => series.has(index))) continue;
    const bytes = await compress(packPlanes(joined(all, index, buckets)), { level: 6 });
    found.push({ metric, text: bytes.toString('base64') });
  }
  return found;
}

function joined(all: readonly Series[], metric: number, buckets: number): Planes {
  const plane = (): Float64Array => new Float64Array(all.length * buckets);
  const planes = { mean: plane(), min: plane(), max: plane() };
  for (const [index, series] of all.entries()) {
    const { mean, min, max } = series.planes(metric);
    planes.mean.set(mean, index * buckets);
    planes.min.set(min, index * buckets);
    planes.max.set(max, index * buckets);
  }
  return planes;
}
