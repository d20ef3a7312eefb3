import type { Histogram } from '../../catalogue/row.ts';
import type { ByteWriter } from '../byte-writer.ts';
import { joined } from './labels.ts';

const NEWLINE = 0x0a;

/** Kept with the bounds, which are those of one disk for as long as it is there. */
const known = new WeakMap<readonly number[], readonly string[]>();

/** The label `le` of each bucket but the last, which all have in common. */
function labelsOf(bounds: readonly number[]): readonly string[] {
  let labels = known.get(bounds);
  // With a decimal point in both formats: OpenMetrics wants it so, and Prometheus would take le="1" for another bucket.
  if (labels === undefined)
    known.set(
      bounds,
      (labels = bounds.map((bound) => `le="${Number.isInteger(bound) ? `${bound}.0` : bound}"`)),
    );
  return labels;
}

/**
 * Writes a distribution as Prometheus has it: buckets that count all up to their upper end, the sum and the count.
 * @param name of the family
 * @param labels of the row, as they stand in braces
 */
export function writeHistogram(out: ByteWriter, name: string, labels: string, histogram: Histogram): void {
  const { bounds, counts, sum } = histogram;
  const ends = labelsOf(bounds);
  let count = 0;
  for (const [i, added] of counts.entries()) {
    count += added;
    out.text(`${name}_bucket{${joined(labels, ends[i] ?? 'le="+Inf"')}} ${count}\n`);
  }
  const own = labels === '' ? '' : `{${labels}}`;
  out.text(`${name}_sum${own} `);
  out.number(sum);
  out.byte(NEWLINE);
  out.text(`${name}_count${own} ${count}\n`);
}
