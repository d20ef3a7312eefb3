import { columns } from '../../catalogue/catalogue.ts';
import { perScope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { RootScope } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import { listsOf, partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { AnyRowTree, Part, RowTree } from '../../catalogue/row-tree.ts';
import { RowMean } from './row-mean.ts';

/** The slots that identify a part among others of its kind. */
const identitySlots = perScope((scope) => {
  const { identity } = entityOf(scope);
  return columns(scope)
    .filter(({ id }) => identity.includes(id))
    .map(({ slot }) => slot);
});

/** The parts of one kind, by what they are called. */
interface PartMeans {
  readonly part: Part;
  readonly known: Map<string, RowMean>;
  /** As they stand in the result. */
  readonly rows: Row[];
}

/** Combines the samples of a guest, the host or proxtop itself, with the rows of their parts. */
export class TreeMean<R extends RootScope> {
  /** The result; valid from {@link finish} to the next {@link add}. */
  readonly tree: RowTree<R>;
  private readonly own: RowMean;
  private readonly parts: readonly PartMeans[];

  constructor(root: R, original: RowTree<R>) {
    this.own = new RowMean(original.row);
    this.parts = partsOf(root).map((part) => ({ part, known: new Map(), rows: [] }));
    const rows = new Map(this.parts.map((each) => [each.part.list, each.rows]));
    this.tree = { row: this.own.row, ...listsOf(root, ({ list }): readonly Row[] => rows.get(list) ?? []) };
  }

  add(tree: RowTree<R>, seconds: number): void {
    this.own.add(tree.row, seconds);
    for (const { part, known } of this.parts) {
      for (const row of rowsOf(tree as AnyRowTree, part)) {
        const name = nameOf(row);
        let mean = known.get(name);
        if (mean === undefined) known.set(name, (mean = new RowMean(row)));
        mean.add(row, seconds);
      }
    }
  }

  /** Whether no sample had it since it was cleared. */
  get isEmpty(): boolean {
    return this.own.isEmpty;
  }

  finish(): void {
    this.own.finish();
    for (const { known, rows } of this.parts) {
      rows.length = 0;
      for (const mean of known.values()) {
        if (mean.isEmpty) continue;
        mean.finish();
        rows.push(mean.row);
      }
    }
  }

  /** Forgets everything, and the parts that were not there. */
  clear(): void {
    this.own.clear();
    for (const { known } of this.parts) {
      for (const [name, mean] of known) {
        if (mean.isEmpty) known.delete(name);
        else mean.clear();
      }
    }
  }
}

function nameOf({ scope, texts }: Row): string {
  const slots = identitySlots[scope];
  return slots.length === 1
    ? (texts[slots[0] as number] ?? '')
    : slots.map((slot) => texts[slot] ?? '').join('\0');
}
