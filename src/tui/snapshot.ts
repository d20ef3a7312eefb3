import type { Scope } from '../catalogue/define.ts';
import type { RootScope } from '../catalogue/entities.ts';
import { Row } from '../catalogue/row.ts';
import { listsOf, rowsOf } from '../catalogue/row-tree.ts';
import type { AnyRowTree, Part, RowTree } from '../catalogue/row-tree.ts';
import type { GuestRows, Sample } from '../sampling/sample.ts';
import { HeldValues } from './held-values.ts';

/**
 * Copies samples, whose rows belong to the sampler: the view draws when a key is pressed too, in the middle of the next
 * cycle. The copy is overwritten by the next one, or where somebody looks meanwhile by the next but one; its rows are kept.
 */
export class Snapshots {
  /** Those of the last copy. */
  private rows = new Map<Scope, Row[]>();
  /** Those of the copy before it, where copies take turns. */
  private others = new Map<Scope, Row[]>();
  private readonly used = new Map<Scope, number>();
  private readonly held = new HeldValues();

  /**
   * @param attend called between two guests while a copy is made: the one before stays as it is until the next one is whole.
   *   Missing where nobody looks meanwhile
   */
  constructor(private readonly attend?: () => void) {}

  copy(sample: Sample): Sample {
    if (this.attend !== undefined) [this.rows, this.others] = [this.others, this.rows];
    this.used.clear();
    const copy = {
      ...sample,
      host: this.tree('host', sample.host),
      guests: sample.guests.map((rows) => this.guest(rows)),
      agent: this.tree('agent', sample.agent),
    };
    this.held.follow(copy.guests, copy.time);
    return copy;
  }

  /** The last copy stays as it is: the next one gets rows of its own. */
  release(): void {
    this.rows.clear();
  }

  private guest(rows: GuestRows): GuestRows {
    this.attend?.();
    const { guest, twin, threads = [] } = rows;
    return { guest, twin, threads: threads.map((row) => this.copyRow(row)), ...this.tree('vm', rows) };
  }

  private tree<R extends RootScope>(root: R, tree: RowTree<R> & AnyRowTree): RowTree<R> {
    const copied = (part: Part): readonly Row[] => rowsOf(tree, part).map((row) => this.copyRow(row));
    return { row: this.copyRow(tree.row), ...listsOf(root, copied) };
  }

  private copyRow({ scope, values, texts }: Row): Row {
    const index = this.used.get(scope) ?? 0;
    this.used.set(scope, index + 1);
    let kept = this.rows.get(scope);
    if (kept === undefined) this.rows.set(scope, (kept = []));
    const row = (kept[index] ??= new Row(scope));
    row.values.set(values);
    for (let slot = 0; slot < texts.length; slot++) row.texts[slot] = texts[slot];
    return row;
  }
}
