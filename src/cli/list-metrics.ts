import { catalogue } from '../catalogue/catalogue.ts';
import { originalText } from '../catalogue/original.ts';

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

/** All metrics as a JSON array, one metric a line, with the columns of the metrics contract, its meaning, and
 * `needs` where there is any. */
export function metricsJson(): string {
  const lines = catalogue.map(
    ({
      scope,
      collector,
      id,
      title,
      unit,
      kind,
      shown,
      source,
      formula,
      original,
      meaning,
      needs,
      container,
    }) =>
      JSON.stringify({
        scope,
        collector,
        id,
        title,
        unit,
        kind,
        shown,
        source,
        definition: formula,
        original: originalText(original),
        meaning,
        ...(needs !== '' && { needs }),
        ...(container !== '' && { container }),
      }),
  );
  return `[\n${lines.join(',\n')}\n]\n`;
}
