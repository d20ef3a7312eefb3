import { columns, slots } from '../../catalogue/catalogue.ts';
import { perScope } from '../../catalogue/define.ts';
import type { PerScope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import { bounded, printable } from '../../base/strings/printable.ts';

/** Names and values of labels; one without value is left out, as an empty value means the same. */
export type Labels = readonly (readonly [name: string, value: string | undefined])[];

/** Labels as they stand between the braces: `name="value",...`, values escaped as both formats want it. */
export function labelText(labels: Labels): string {
  let text = '';
  for (const [name, value] of labels) {
    if (value === undefined || value === '') continue;
    text += `${text === '' ? '' : ','}${name}="${escapeLabel(value)}"`;
  }
  return text;
}

/** ASCII without what needs an escape, as nearly all labels are: a page of 200 VMs takes 1.6 ms with this look, 1.9 ms without. */
const plain = /^[ !#-[\]-~]*$/;

/**
 * Backslash and quote need an escape. A line feed would have one too, but is no more welcome in a legend than on the
 * terminal where somebody looks at the page: it becomes a question mark like all that cannot be printed.
 */
function escapeLabel(value: string): string {
  const text = bounded(value);
  return plain.test(text) ? text : labelValue(text).replace(/[\\"]/g, '\\$&');
}

/** The value of a label as a query has it. */
export function labelValue(value: string): string {
  return printable(bounded(value));
}

/** Labels one after the other, where there are any. */
export function joined(one: string, other: string): string {
  return one === '' || other === '' ? one + other : `${one},${other}`;
}

/** Labels in braces, where there are any. */
export function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

/** A row and its labels as a format has them. */
export interface LabelledRow<L> {
  readonly row: Row;
  readonly labels: L;
  /** The rows of its devices that are printed too. */
  readonly devices: readonly Row[];
}

/** Rows by scope. */
export type LabelledRows<L> = PerScope<readonly LabelledRow<L>[]>;

/** The labels that name a row besides its VM, with the slots of the texts in them. */
const named = perScope((scope) =>
  entityOf(scope).labels.map(([label, id]) => {
    const metric = columns(scope).find((each) => each.id === id);
    if (metric === undefined) throw new RangeError(`no ${id} in ${scope} for label ${label}`);
    return [label, metric.slot] as const;
  }),
);
const { pid } = slots('identity', 'vm');

/** What names a row, of a part besides its VM. */
export function ownLabels({ scope, texts }: Row): Labels {
  return named[scope].map(([label, slot]) => [label, texts[slot]]);
}

/** Tells apart VMs that have everything else in common. */
export function pidLabel({ texts }: Row): Labels {
  return [['pid', texts[pid]]];
}
