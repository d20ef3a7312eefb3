import { rowsOf } from '../../catalogue/row-tree.ts';
import type { Part } from '../../catalogue/row-tree.ts';
import type { Row } from '../../catalogue/row.ts';
import type { GuestRows } from '../../sampling/sample.ts';
import { deviceKey } from '../table/table.ts';

/** The numbers of rows by their keys. */
export type Numbers = ReadonlyMap<string, number>;

/** Rows of guests, and which of their values are listed. */
export interface RowKind {
  /** Missing for the guests themselves. */
  readonly part: Part | undefined;
  /** The slot of the text that names a row of a guest. */
  readonly device: number;
  readonly slots: readonly number[];
}

/**
 * Lists some values of all rows of a scope, again and again. Of rows that did not change since the last time nothing is looked at;
 * numbers by their keys are made again only when other rows are there.
 */
export class ListedValues {
  numbers: Numbers = new Map();
  /** Of the last time, with the versions that they had. */
  private readonly rows: Row[] = [];
  private readonly versions: number[] = [];
  private last: Float32Array = new Float32Array(0);
  /** Of the guests of the last time. */
  private readonly keys: string[] = [];
  /** Of each row the key of its guest, and the name of the device. */
  private names: readonly (readonly [guest: string, device: string | undefined])[] = [];
  /** Numbers of the rows that are to be looked at, and how many these are. */
  private readonly changed: number[] = [];
  private changes = 0;
  private spare: Float32Array | undefined;

  constructor(private readonly kind: RowKind) {}

  /** @returns the values of one row behind those of the other, in the order of their numbers: a list of its own */
  values(guests: readonly GuestRows[]): Float32Array {
    const isSame = this.follow(guests);
    const { rows, spare, last } = this;
    const length = rows.length * this.kind.slots.length;
    const values = spare?.length === length ? spare : new Float32Array(length);
    this.spare = undefined;
    if (isSame) values.set(last);
    else this.learn(guests);
    const count = isSame ? this.changes : rows.length;
    for (let index = 0; index < count; index++)
      this.list(isSame ? (this.changed[index] as number) : index, values);
    this.last = values;
    return values;
  }

  /** A list that is not needed any more becomes one of the next ones. */
  reuse(values: Float32Array): void {
    if (values !== this.last) this.spare = values;
  }

  private list(number: number, values: Float32Array): void {
    const { slots } = this.kind;
    const row = this.rows[number] as Row;
    for (let index = 0, at = number * slots.length; index < slots.length; index++, at++)
      values[at] = row.values[slots[index] as number] as number;
  }

  /** Finds the rows, and which of them changed. @returns whether they are those of the last time */
  private follow(guests: readonly GuestRows[]): boolean {
    const { part, device } = this.kind;
    const { rows, versions, changed, names } = this;
    let isSame = guests.length === this.keys.length;
    let count = 0;
    this.changes = 0;
    const add = (row: Row, key: string): void => {
      const number = count++;
      rows[number] = row;
      if (row.version !== 0 && versions[number] === row.version) return;
      const known = names[number];
      isSame &&= known?.[0] === key && known[1] === row.texts[device];
      versions[number] = row.version;
      changed[this.changes++] = number;
    };
    let guest = 0;
    for (const vm of guests) {
      const { key } = vm.guest;
      // What is known of a guest may be known by another key.
      isSame &&= this.keys[guest] === key;
      this.keys[guest++] = key;
      if (part === undefined) add(vm.row, key);
      else for (const row of rowsOf(vm, part)) add(row, key);
    }
    this.keys.length = guests.length;
    rows.length = versions.length = count;
    return isSame && count === names.length;
  }

  private learn(guests: readonly GuestRows[]): void {
    const all = guests.flatMap((vm) => this.rowsOf(vm).map((row) => ({ vm, row })));
    this.names = all.map(({ vm, row }) => [vm.guest.key, row.texts[this.kind.device]]);
    const keys = all.map(({ vm, row }) => (row === vm.row ? vm.guest.key : deviceKey(vm, row)));
    this.numbers = new Map(keys.map((key, number) => [key, number]));
  }

  private rowsOf(vm: GuestRows): readonly Row[] {
    const { part } = this.kind;
    return part === undefined ? [vm.row] : rowsOf(vm, part);
  }
}
