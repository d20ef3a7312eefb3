import type { Metric } from '../../catalogue/catalogue.ts';
import type { Row } from '../../catalogue/row.ts';
import { formatNumber } from '../values/format.ts';
import type { UnitMode } from '../values/format.ts';
import { styleOf } from '../analysis/judge.ts';
import type { Judge } from '../analysis/judge.ts';
import { badgeOf } from '../values/badge.ts';
import { fit } from '../../base/strings/glyphs.ts';
import type { Line, Span, Style } from '../screen/spans.ts';
import { metricIn, numberIn, source, textIn } from './table.ts';
import type { TableEntry } from './table.ts';
import type { Placed } from './table-layout.ts';

/** The headings; that of the sorted column and that of the cursor stand out. */
export function headingLine(placed: readonly Placed[], sort: string, cursor: string | undefined): Line {
  return placed.flatMap(({ column, width }): Span[] => {
    const text = column.text ? fit(column.heading, width) : fit(column.heading, width).trim().padStart(width);
    const style = column.id === sort ? 'title' : 'heading';
    return [{ text, style, reverse: column.id === cursor }, { text: ' ' }];
  });
}

/** A row of the table. @param selected whether the cursor is on it */
export function entryLine(
  entry: TableEntry,
  placed: readonly Placed[],
  { units, judge, selected }: { readonly units: UnitMode; readonly judge: Judge; readonly selected: boolean },
): Line {
  return placed.flatMap(({ column, width }): Span[] => {
    const blank = { text: ' ', reverse: selected };
    if (entry.label !== undefined && column.text) {
      const text = column.id === 'name' ? ` ${entry.label}` : '';
      return [{ text: fit(text, width), style: 'dim', reverse: selected }, blank];
    }
    if (column.badge) {
      const badge = entry.vm && badgeOf(entry.vm.row);
      return [
        { text: fit(badge?.text ?? '', width), style: badge?.grade ?? 'normal', reverse: selected },
        blank,
      ];
    }
    if (column.text) return [{ text: fit(textIn(entry, column) ?? '-', width), reverse: selected }, blank];
    const metric = metricIn(entry, column);
    const value = numberIn(entry, column);
    const text = metric === undefined ? '' : formatNumber(value, column.unit, units);
    const style = metric === undefined ? 'normal' : styleIn(source(entry, column), metric, value, judge);
    return [{ text: text.padStart(width), style, reverse: selected }, blank];
  });
}

/** How a value looks: by its verdict, or dim where it is one that only stands for what is not known now. */
function styleIn(row: Row, { id, slot }: Metric, value: number, judge: Judge): Style {
  if (Number.isNaN(value)) return 'normal';
  return Number.isNaN(row.values[slot] ?? NaN) ? 'dim' : styleOf(judge(id, value, row));
}
