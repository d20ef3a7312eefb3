import { fit } from '../../base/strings/glyphs.ts';
import { styleOf } from '../analysis/judge.ts';
import type { Judge } from '../analysis/judge.ts';
import { isRemembered } from '../analysis/recent-values.ts';
import type { RecentValues } from '../analysis/recent-values.ts';
import type { Line, Span } from '../screen/spans.ts';
import { sparkline } from '../values/sparkline.ts';
import type { TableEntry } from './table.ts';
import type { ViewColumn } from './view-columns.ts';

/**
 * Columns of the screen that it takes, the widest that fits. A cell stands for 4, 6 or 8 s and no less: all of them move, and
 * are written again, when the next one begins.
 */
const widths = [30, 20, 15];

/** What trends are drawn from. */
interface TrendLook {
  /** What the rows are sorted by. */
  readonly column: ViewColumn;
  /** Columns of the screen that the table leaves. */
  readonly room: number;
  readonly recent: RecentValues;
  /** Of the moment that is shown, ms since 1970. */
  readonly time: number;
  readonly judge: Judge;
  readonly unicode: boolean;
}

/** The last two minutes of what guests or their devices are sorted by, at the right of a table. */
interface Trends {
  readonly heading: Line;
  /** One for each row. */
  readonly lines: readonly Line[];
}

/** Undefined where there is no room, or where past values of this column are not remembered. @param selected the row of the cursor */
export function trendsOf(
  entries: readonly TableEntry[],
  selected: TableEntry | undefined,
  { column, room, recent, time, judge, unicode }: TrendLook,
): Trends | undefined {
  const { id, heading, of, metric, unit } = column;
  const width = widths.find((each) => each <= room);
  if (width === undefined || of !== 'row' || !isRemembered(metric.scope, id)) return undefined;
  const all = new Map<TableEntry, readonly number[]>();
  // Below an expanded guest are rows of other scopes.
  for (const scope of new Set(entries.map(({ row }) => row.scope))) {
    const rows = entries.filter(({ row }) => row.scope === scope);
    const keys = rows.map(({ key }) => key);
    const found = recent.steps({ scope, id }, keys, width, time);
    rows.forEach((entry, index) => all.set(entry, found[index] ?? []));
  }
  const top = unit === 'percent' ? 100 : roundedUp(largest(all.values()));
  const lines = entries.map((entry): Line => {
    const steps = all.get(entry) ?? [];
    const bars = sparkline(steps, top, unicode);
    return steps.map((step, at): Span => ({
      text: bars.charAt(at),
      style: styleOf(judge(id, step, entry.row)),
      reverse: entry === selected,
    }));
  });
  return { heading: [{ text: fit(`2 MIN ${heading}`, width), style: 'heading' }], lines };
}

/** 0 where nothing is known. */
function largest(all: Iterable<readonly number[]>): number {
  let most = 0;
  for (const steps of all) for (const step of steps) if (step > most) most = step;
  return most;
}

/** To 1, 2 or 5 and zeros: the scale of the bars stays the same while the largest value moves a little. */
function roundedUp(value: number): number {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((each) => each * power >= value) ?? 10);
}
