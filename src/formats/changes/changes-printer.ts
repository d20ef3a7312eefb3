import { Packr } from 'msgpackr/pack';
import { scopes } from '../../catalogue/define.ts';
import type { Scope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { RootScope } from '../../catalogue/entities.ts';
import { Row } from '../../catalogue/row.ts';
import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { AnyRowTree } from '../../catalogue/row-tree.ts';
import type { Sample } from '../../sampling/sample.ts';
import { bounded, wellFormed } from '../../base/strings/printable.ts';
import { printedColumns } from '../shared/columns.ts';
import { head } from '../msgpack.ts';
import type { Column } from '../shared/names.ts';
import { PackedWriter } from './packed-writer.ts';
import type { Printer } from '../printer.ts';

/** What a record holds beside changes. */
export const holds = { columns: 1, lists: 2 } as const;

const everything = { verbose: true, names: 'proxtop' } as const;

/** The host, a guest or proxtop as it was told last. */
interface Told {
  readonly root: RootScope;
  /** The key of a guest; empty for what is none. */
  readonly key: string;
  readonly row: Row;
  /** In the order of {@link partsOf}. */
  readonly lists: readonly Row[][];
}

/**
 * All that is known of a host, for a proxtop that watches it: of each sample what differs from the one before, which is a tenth
 * of it or less. Whoever misses a record has to begin anew; `recording/changes/changed-samples.ts` reads them.
 *
 * A record is a map of MessagePack: the head that all samples have, and as `changes` binary data, which are values of MessagePack
 * one behind the other:
 *
 * - a number, the sum of what is in it ({@link holds});
 * - of columns: how many scopes there are; of each its name, that of its parent (empty for none), how many columns it
 *   has, and their names. All values that were told before are forgotten;
 * - of lists: how many guests there are; then of the host, each guest and proxtop, of guests first the key, how many rows each
 *   list of parts has. Those of one parent are in the order of their scopes. What is new in a list has no values yet;
 * - of the rows that changed, all rows being in that order with parts behind what they are part of: how many rows did not change before
 *   it, how many columns changed, and of each its number and its value, nil where it is not known any more. At the end stands the
 *   number of rows that did not change behind the last one that did.
 */
export class ChangesPrinter implements Printer {
  private readonly packr = new Packr({ useRecords: false });
  private readonly writer = new PackedWriter();
  private columns = new Map<Scope, readonly Column[]>();
  private collectors: string | undefined;
  private told: Told[] = [];
  /** Rows since the last one that changed. */
  private unchanged = 0;

  /** Tells everything once more. */
  begin(): void {
    this.collectors = undefined;
  }

  print(sample: Sample): readonly Buffer[] {
    const { writer } = this;
    const collectors = sample.collectors.join();
    const isNew = this.collectors !== collectors;
    if (isNew) this.forget(sample);
    this.collectors = collectors;
    const trees: readonly AnyRowTree[] = [sample.host, ...sample.guests, sample.agent];
    const isChanged = this.follow(sample, trees);
    writer.number((isNew ? holds.columns : 0) + (isChanged ? holds.lists : 0));
    if (isNew) this.writeColumns();
    if (isChanged) this.writeLists();
    this.unchanged = 0;
    for (const [index, tree] of trees.entries()) {
      const { root, row, lists } = this.told[index] as Told;
      this.writeRow(tree.row, row);
      for (const [at, part] of partsOf(root).entries()) {
        const list = lists[at] as Row[];
        for (const [number, each] of rowsOf(tree, part).entries()) this.writeRow(each, list[number] as Row);
      }
    }
    writer.number(this.unchanged);
    return [this.packr.pack({ ...head(sample), changes: writer.take() })];
  }

  private forget({ collectors }: Sample): void {
    this.told = [];
    this.columns = new Map(scopes.map((scope) => [scope, printedColumns(scope, everything, collectors)]));
  }

  /** Makes what was told have the rows of a sample. @returns whether it had others */
  private follow({ guests }: Sample, trees: readonly AnyRowTree[]): boolean {
    const before = this.told;
    let known: Map<string, Told> | undefined;
    let isChanged = before.length !== trees.length;
    this.told = trees.map((tree, index) => {
      const root = index === 0 ? 'host' : index === trees.length - 1 ? 'agent' : 'vm';
      const key = guests[index - 1]?.guest.key ?? '';
      let told = before[index];
      if (told?.root !== root || told.key !== key) {
        isChanged = true;
        known ??= new Map(before.map((each) => [`${each.root} ${each.key}`, each]));
        told = known.get(`${root} ${key}`) ?? {
          root,
          key,
          row: new Row(root),
          lists: partsOf(root).map(() => []),
        };
      }
      for (const [at, part] of partsOf(root).entries()) {
        const list = told.lists[at] as Row[];
        const { length } = rowsOf(tree, part);
        if (list.length === length) continue;
        isChanged = true;
        list.length = Math.min(list.length, length);
        while (list.length < length) list.push(new Row(part.scope));
      }
      return told;
    });
    return isChanged;
  }

  private writeColumns(): void {
    const { writer, columns } = this;
    writer.number(columns.size);
    for (const [scope, own] of columns) {
      writer.text(scope);
      writer.text(entityOf(scope).parent ?? '');
      writer.number(own.length);
      for (const { id } of own) writer.text(id);
    }
  }

  private writeLists(): void {
    const { writer, told } = this;
    writer.number(told.length - 2);
    for (const { root, key, lists } of told) {
      if (root === 'vm') writer.text(key);
      for (const { length } of lists) writer.number(length);
    }
  }

  private writeRow({ scope, values, texts }: Row, told: Row): void {
    const { writer } = this;
    const columns = this.columns.get(scope) as readonly Column[];
    const differs = ({ text, slot }: Column): boolean =>
      text ? texts[slot] !== told.texts[slot] : !Object.is(known(values[slot]), told.values[slot]);
    let count = 0;
    for (const column of columns) if (differs(column)) count++;
    if (count === 0) {
      this.unchanged++;
      return;
    }
    writer.number(this.unchanged);
    this.unchanged = 0;
    writer.number(count);
    for (let number = 0; number < columns.length; number++) {
      const column = columns[number] as Column;
      if (!differs(column)) continue;
      const { text, slot } = column;
      writer.number(number);
      if (text) {
        const value = (told.texts[slot] = texts[slot]);
        if (value === undefined) writer.nil();
        else writer.text(wellFormed(bounded(value)));
      } else writer.number((told.values[slot] = known(values[slot])));
    }
  }
}

/** A number as it is told: one that is not finite is not known. */
function known(value = NaN): number {
  return Number.isFinite(value) ? value : NaN;
}
