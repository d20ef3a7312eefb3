import type { HostRows } from '../../sampling/sample.ts';
import { formatNumber } from '../values/format.ts';
import type { UnitMode } from '../values/format.ts';
import { styleOf } from '../analysis/judge.ts';
import type { Judge } from '../analysis/judge.ts';
import { panelGroups } from './panel-groups.ts';
import type { Line, Span } from '../screen/spans.ts';
import { metricOf } from '../values/row-values.ts';
import type { View } from './views.ts';

/** The lines about the host above the table, of which each shows what is known, fits, and is in no line before it. */
export function panelLines(
  view: View,
  { row }: HostRows,
  { columns, units, judge }: { readonly columns: number; readonly units: UnitMode; readonly judge: Judge },
): readonly Line[] {
  const shown = new Set<string>();
  return view.panel.map((name): Line => {
    const [label, ids] = panelGroups[name];
    const spans: Span[] = [{ text: label.padEnd(5), style: 'strong' }];
    let used = 5;
    for (const id of ids) {
      const metric = metricOf('host', id);
      const value = metric === undefined ? NaN : (row.values[metric.slot] ?? NaN);
      if (metric === undefined || Number.isNaN(value) || shown.has(id)) continue;
      const text = formatNumber(value, metric.unit, units);
      used += metric.title.length + text.length + 3;
      if (used > columns + 2) break;
      shown.add(id);
      spans.push(
        { text: `${metric.title} `, style: 'dim' },
        { text, style: styleOf(judge(id, value, row)) },
        { text: '  ' },
      );
    }
    return spans;
  });
}
