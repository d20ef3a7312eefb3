import type { Histogram } from '../../catalogue/row.ts';
import type { ByteWriter } from '../shared/byte-writer.ts';
import { joined } from './labels.ts';

const NEWLINE = 0x0a;

/** Kept with the bounds, which are those of one disk for as long as it is there. */
const known = new WeakMap<readonly number[], readonly string[]>();

/** The label `le` of each bucket but the last, which is +Inf. */
export function bucketEnds(bounds: readonly number[]): readonly string[] {
  let ends = known.get(bounds);
  // With a decimal point in all formats: OpenMetrics wants it so, and Prometheus would take le="1" for another bucket.
  if (ends === undefined)
    known.set(bounds, (ends = bounds.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : `${bound}`))));
  return ends;
}

/**
 * Writes a distribution as Prometheus has it: buckets that count all up to their upper end, the sum and the count.
 * @param name of the family
 * @param labels of the row, as they stand in braces
 */
export function writeHistogram(out: ByteWriter, name: string, labels: string, histogram: Histogram): void {
  const { bounds, counts, sum } = histogram;
  const ends = bucketEnds(bounds);
  let count = 0;
  for (const [i, added] of counts.entries()) {
    count += added;
    out.text(`${name}_bucket{${joined(labels, `le="${ends[i] ?? '+Inf'}"`)}} ${count}\n`);
  }
  const own = labels === '' ? '' : `{${labels}}`;
  out.text(`${name}_sum${own} `);
  out.number(sum);
  out.byte(NEWLINE);
  out.text(`${name}_count${own} ${count}\n`);
}
