import type { QmpQuery } from './query.ts';
import { isObject, list } from '../base/untyped/values.ts';

/** Latency histogram of operations, since QEMU began to keep it. */
export interface LatencyHistogram {
  /** ns, ascending: `bins[i]` counts what took at least `boundaries[i - 1]` and less than `boundaries[i]`. */
  readonly boundaries: readonly number[];
  /** One more than there are boundaries: the last one has no upper end. */
  readonly bins: readonly number[];
}

/** The kinds of operations with a histogram, by their names in query-blockstats. */
export const histogramKinds = ['rd', 'wr', 'flush'] as const;
export type HistogramKind = (typeof histogramKinds)[number];
/** Those of one disk; a kind without a histogram is missing. */
export type DiskHistograms = { readonly [K in HistogramKind]?: LatencyHistogram };

/** More boundaries than are ever useful. */
const MOST_BOUNDARIES = 100;
const [US, MS, S] = [1e3, 1e6, 1e9];
/** Where a bin ends and the next one begins, ns: from a fast NVMe disk to one that a user calls hanging. */
export const boundaries: readonly number[] = [
  ...[50 * US, 100 * US, 250 * US, 500 * US],
  ...[1 * MS, 2.5 * MS, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS],
  ...[1 * S, 2.5 * S],
];

/**
 * The histograms among the statistics of a block backend; undefined where there are none, as nearly always. One that
 * contradicts itself is none.
 *
 * Source: BlockLatencyHistogramInfo of query-blockstats, QEMU qapi/block-core.json.
 */
export function histogramsIn(stats: Readonly<Record<string, unknown>>): DiskHistograms | undefined {
  let found: { [K in HistogramKind]?: LatencyHistogram } | undefined;
  for (const kind of histogramKinds) {
    const histogram = readHistogram(stats[`${kind}_latency_histogram`]);
    if (histogram !== undefined) (found ??= {})[kind] = histogram;
  }
  return found;
}

function readHistogram(told: unknown): LatencyHistogram | undefined {
  if (!isObject(told)) return undefined;
  const [bounds, bins] = [list(told['boundaries']), list(told['bins'])];
  if (bounds.length === 0 || bounds.length > MOST_BOUNDARIES || bins.length !== bounds.length + 1)
    return undefined;
  const isAscending = bounds.every(
    (bound, i) => isCount(bound) && bound > (i === 0 ? 0 : Number(bounds[i - 1])),
  );
  return isAscending && bins.every(isCount) ? { boundaries: bounds as number[], bins: bins } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/**
 * Has QEMU count the latencies of one disk with our {@link boundaries}, from now on. The only command that we send which
 * changes something in QEMU. Sent twice, it sets all counts back to 0.
 *
 * Source: block-latency-histogram-set, QEMU qapi/block-core.json (4.0 and later).
 * @param qdev as query-blockstats names the device
 */
export function setHistograms(qdev: string): QmpQuery<undefined> {
  return {
    execute: 'block-latency-histogram-set',
    arguments: { id: qdev, boundaries },
    read: () => undefined,
  };
}
