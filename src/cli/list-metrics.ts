import { catalogue } from '../catalogue/catalogue.ts';
import type { Metric } from '../catalogue/catalogue.ts';
import { originalText } from '../catalogue/original.ts';
import { peakId } from '../catalogue/peaks.ts';

const headings = ['SCOPE', 'ID', 'UNIT', 'KIND', 'SHOWN', 'NEEDS', 'DEFINITION'] as const;

/** All metrics as an aligned table, a line each, `-` where there is nothing to say. */
export function metricsTable(): string {
  const rows = [
    headings,
    ...catalogue.map(({ scope, id, unit, kind, shown, needs, formula }) => [
      scope,
      id,
      unit,
      kind,
      shown,
      needs || '-',
      formula || '-',
    ]),
  ];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** The id of the largest sample in an interval, of metrics that have one. */
function peakOf(metric: Metric): { readonly peak?: string } {
  const peak = peakId(metric);
  return peak === undefined ? {} : { peak };
}

/** All metrics as a JSON array, one metric a line, with the columns of the metrics contract, its meaning, and
 * `needs` and the id of its `peak` where there are any. */
export function metricsJson(): string {
  const lines = catalogue.map((metric) =>
    JSON.stringify({
      scope: metric.scope,
      collector: metric.collector,
      id: metric.id,
      title: metric.title,
      unit: metric.unit,
      kind: metric.kind,
      shown: metric.shown,
      source: metric.source,
      definition: metric.formula,
      original: originalText(metric.original),
      meaning: metric.meaning,
      ...(metric.needs !== '' && { needs: metric.needs }),
      ...(metric.container !== '' && { container: metric.container }),
      ...peakOf(metric),
    }),
  );
  return `[\n${lines.join(',\n')}\n]\n`;
}
