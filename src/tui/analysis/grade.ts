import { relations } from '../../config/thresholds.ts';
import type { Levels, Thresholds } from '../../config/thresholds.ts';
import type { Row } from '../../catalogue/row.ts';
import { valueOf } from '../values/row-values.ts';

/** The grade of a value. */
export type Grade = 'ok' | 'warn' | 'bad';

/**
 * Judges a value of a row against the thresholds; what is not known is ok. Levels that are relative to another metric
 * (see relations) need that one in the same row.
 *
 * @param id of the metric, in whose unit the value is
 */
export function judge(thresholds: Thresholds, id: string, value: number, row: Row): Grade {
  const levels = thresholds.get(id);
  if (levels === undefined) return 'ok';
  return gradeOf(levels, compared(id, value, row));
}

/** The value in the unit of its levels; NaN where the other metric of its row is not known. */
export function compared(id: string, value: number, row: Row): number {
  const relation = relations.get(id);
  if (relation === undefined) return value;
  return (value / valueOf(row, relation.to)) * relation.scale;
}

function gradeOf({ warn, bad }: Levels, value: number): Grade {
  if (warn > bad) return value <= bad ? 'bad' : value <= warn ? 'warn' : 'ok';
  return value >= bad ? 'bad' : value >= warn ? 'warn' : 'ok';
}
