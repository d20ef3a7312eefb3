import type { Scope } from '../catalogue/entities.ts';
import type { Row } from '../catalogue/row.ts';
import { recordedFieldsWithPeaks } from '../recording/fields.ts';
import type { JsonCursor } from './json-cursor.ts';
import { KeyTable } from './key-table.ts';

/** Slots of lists begin here and go down: -1 is what is not wanted. */
const FIRST_LIST = -2;

/** Reads objects of a scope into rows: only what is wanted of them. */
export class RowReader {
  private readonly keys: KeyTable;
  private readonly textSlots: readonly number[];
  /** The texts that the row had before. */
  private readonly before: (string | undefined)[] = [];

  /**
   * @param wanted ids of metrics and peaks
   * @param lists members that hold rows of parts and are wanted
   * @param takeList called for one of these by its index, with the cursor at its begin; it must pass it
   */
  constructor(
    scope: Scope,
    wanted: ReadonlySet<string>,
    lists: readonly string[] = [],
    private readonly takeList: (list: number) => void = () => undefined,
  ) {
    const fields = [...recordedFieldsWithPeaks[scope]].filter(([id]) => wanted.has(id));
    this.textSlots = fields.flatMap(([, { text, slot }]) => (text ? [slot] : []));
    this.keys = new KeyTable(
      new Map([
        ...fields.map(([id, { slot }]) => [id, slot] as const),
        ...lists.map((list, index) => [list, FIRST_LIST - index] as const),
      ]),
    );
  }

  /**
   * Reads the object at which the cursor stands, and passes it.
   *
   * @returns whether any text is another one than the row had before
   * @throws JsonError
   */
  read(cursor: JsonCursor, row: Row): boolean {
    const { keys, textSlots, before } = this;
    const { values, texts } = row;
    values.fill(NaN);
    for (const slot of textSlots) {
      before[slot] = texts[slot];
      texts[slot] = undefined;
    }
    keys.rewind();
    while (cursor.nextMember()) {
      const slot = keys.slotAt(cursor);
      if (slot >= 0 && cursor.isText) texts[slot] = cursor.text(before[slot]);
      else if (slot >= 0) values[slot] = cursor.number();
      else if (!cursor.isRows) cursor.skip();
      else if (slot <= FIRST_LIST) this.takeList(FIRST_LIST - slot);
      else cursor.skipRows();
    }
    return textSlots.some((slot) => texts[slot] !== before[slot]);
  }
}
