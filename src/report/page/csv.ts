import { offsetAt, offsetText, clockAt } from '../shared/words.ts';
import { beginOf, data } from './data.ts';
import type { Planes } from '../shared/codes.ts';
import type { ReportMetric } from '../shared/model.ts';

/** The values of a guest: a heading, then a row for each bucket with mean, minimum and maximum of each metric. */
export function rowsOf(
  guest: number,
  metrics: readonly ReportMetric[],
  planes: readonly Planes[],
): string[][] {
  const unitOf = ({ unit }: ReportMetric): string => (unit === '' ? '' : ` (${unit})`);
  const heading = metrics.flatMap((metric) =>
    ['mean', 'min', 'max'].map((which) => `${metric.title} ${which}${unitOf(metric)}`),
  );
  const rows = Array.from({ length: data.buckets }, (_, bucket) => {
    const time = beginOf(bucket);
    const at = guest * data.buckets + bucket;
    const stamp = `${clockAt(data.zone, time).toISOString().slice(0, 19)}${offsetText(offsetAt(data.zone, time))}`;
    const values = planes.flatMap(({ mean, min, max }) => [mean[at], min[at], max[at]]);
    return [
      data.guests[guest] ?? '',
      stamp,
      ...values.map((value) => (Number.isNaN(value) ? '' : String(value))),
    ];
  });
  return [['guest', 'time', ...heading], ...rows];
}
