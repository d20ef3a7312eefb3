import type { Row } from '../../catalogue/row.ts';
import type { Style } from '../screen/spans.ts';
import type { Verdict } from './verdict.ts';

/** What a value means for the VM or host that the row is about. */
export type Judge = (metricId: string, value: number, row: Row) => Verdict;

/** How a verdict looks. */
export function styleOf(verdict: Verdict): Style {
  return verdict === 'ok' ? 'normal' : verdict;
}
