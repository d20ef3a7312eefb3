import { wrap } from '../../base/strings/wrap.ts';
import { levelUnit } from '../../config/thresholds.ts';
import type { Levels, Thresholds } from '../../config/thresholds.ts';
import { columns } from '../../catalogue/catalogue.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import type { GuestRows, Sample } from '../../sampling/sample.ts';
import { human } from '../../formats/text/human.ts';
import { quantity } from '../values/quantity.ts';
import { absence } from './absence.ts';
import { evidenceFor } from './evidence.ts';
import { compared, judge } from './grade.ts';
import type { Grade } from './grade.ts';

/** Columns for the names of facts, at least. */
const NAMES = 9;

const colours: Readonly<Record<Grade, string>> = { ok: 'fine', warn: 'yellow', bad: 'red' };

/** A value that is to be explained, and what stands beside it at this moment. */
export interface Explained {
  readonly row: Row;
  /** Whose row it is; undefined for one of the host. */
  readonly guest: GuestRows | undefined;
  readonly sample: Sample;
}

/** Marks of causes: yes, no, not known. */
const marks = { true: '[yes]', false: '[no] ', undefined: '[?]  ' } as const;

/**
 * Explains a metric to people: what it means, its value, where that comes from and how it is made, from where on it is
 * yellow or red, what speaks for and against its causes at this moment, and what usually causes it.
 *
 * @param value the one that is explained; undefined for the metric in general
 * @param width columns that a line may have
 */
export function why(
  metric: Metric,
  value: Explained | undefined,
  thresholds: Thresholds,
  width: number,
): readonly string[] {
  const { id, title, scope, meaning, formula, kind, needs, container, causes } = metric;
  const facts = new Map<string, string>();
  if (value !== undefined) facts.set('now', valueText(metric, value, thresholds));
  facts.set('source', spelledOut(metric, 'source'));
  if (meaning !== formula && formula !== '') facts.set('formula', spelledOut(metric, 'formula'));
  if (needs !== '') facts.set('needs', needs);
  if (container !== '') facts.set('container', container);
  if (kind !== 'text') facts.set('levels', levelsText(id, thresholds.get(id)));
  const lines = [`${title}: ${id} of ${entityOf(scope).noun}`, ''];
  if (meaning !== '') lines.push(...wrap(meaning, '', width), '');
  const names = Math.max(NAMES, ...[...facts.keys()].map(({ length }) => length + 1));
  for (const [name, text] of facts) lines.push(...wrap(text, name.padEnd(names), width));
  const evidence =
    value?.guest === undefined ? [] : evidenceFor(id, { ...value.sample, ...value, guest: value.guest });
  if (evidence.length > 0) lines.push('', 'What causes it at this moment');
  for (const { holds, text } of evidence) lines.push(...wrap(text, `  ${marks[`${holds}`]} `, width));
  if (causes.length > 0) {
    lines.push('', 'What usually causes it');
    for (const cause of causes) lines.push(...wrap(cause, '  - ', width));
  }
  return lines;
}

/** What the catalogue says as `as above` stands in the metric above. */
function spelledOut({ scope, slot }: Metric, field: 'source' | 'formula'): string {
  const text = columns(scope)
    .slice(0, slot + 1)
    .findLast((metric) => metric[field] !== 'as above');
  return text?.[field] ?? '';
}

function valueText(metric: Metric, { row, guest, sample }: Explained, thresholds: Thresholds): string {
  const { id, kind, slot, unit } = metric;
  const value = row.values[slot] ?? NaN;
  const text = row.texts[slot];
  if (kind === 'text' ? text === undefined : Number.isNaN(value))
    return `not known: ${absence(metric, row, guest, sample)}`;
  if (text !== undefined) return text;
  const related = compared(id, value, row);
  const inLevels =
    related === value || Number.isNaN(related) ? '' : `, ${human(related, 'percent')} ${levelUnit(id)}`;
  const verdict = thresholds.has(id) ? `: ${colours[judge(thresholds, id, value, row)]}` : '';
  return `${quantity(value, unit)}${inLevels}${verdict}`;
}

function levelsText(id: string, levels: Levels | undefined): string {
  if (levels === undefined) return `none; [thresholds] ${id} = warn/bad sets some`;
  const { warn, bad } = levels;
  const shown = (level: number): string =>
    levelUnit(id) === 'bytes' ? human(level, 'bytes') : String(level);
  const unit = levelUnit(id) === 'bytes' ? '' : ` ${levelUnit(id)}`;
  const side = warn > bad ? 'at most' : 'from';
  const parts = Number.isNaN(warn)
    ? `red ${side} ${shown(bad)}`
    : `yellow ${side} ${shown(warn)}, red ${side} ${shown(bad)}`;
  return `${parts}${unit}; [thresholds] ${id} changes that`;
}
