import type { Row } from '../../catalogue/row.ts';
import type { Style } from '../screen/spans.ts';
import type { Grade } from './grade.ts';

/** What a value means for the VM or host that the row is about. */
export type Judge = (metricId: string, value: number, row: Row) => Grade;

/** How a grade looks. */
export function styleOf(grade: Grade): Style {
  return grade === 'ok' ? 'normal' : grade;
}
