import { columns } from '../../catalogue/catalogue.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import { scopes } from '../../catalogue/define.ts';
import type { Scope } from '../../catalogue/define.ts';
import type { Row } from '../../catalogue/row.ts';

const byId: ReadonlyMap<Scope, ReadonlyMap<string, Metric>> = new Map(
  scopes.map((scope) => [scope, new Map(columns(scope).map((metric) => [metric.id, metric]))]),
);

/** The metric of a scope that has an id; undefined where there is none. */
export function metricOf(scope: Scope, id: string): Metric | undefined {
  return byId.get(scope)?.get(id);
}

/** A number of a row by its id; NaN where the row does not know it. */
export function valueOf(row: Row, id: string): number {
  return row.values[metricOf(row.scope, id)?.slot ?? -1] ?? NaN;
}

/** A text of a row by its id; undefined where the row does not know it. */
export function textOf(row: Row, id: string): string | undefined {
  return row.texts[metricOf(row.scope, id)?.slot ?? -1];
}

/** A text of a row by its id; '' where the row does not know it. */
export function textOrBlank(row: Row, id: string): string {
  return textOf(row, id) ?? '';
}
