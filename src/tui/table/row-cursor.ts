import type { TableEntry } from './table.ts';

/**
 * Which row the cursor is on, and which rows are on the screen. At first the cursor is on whatever row comes first;
 * once it was moved it follows its VM or device, wherever the rows are sorted to.
 */
export class RowCursor {
  /** Index of the first row on the screen. */
  top = 0;
  /** Index of the row of the cursor. */
  index = 0;
  private key: string | undefined;
  private entries: readonly TableEntry[] = [];
  private height = 1;

  /** The row of the cursor; undefined where there are no rows. */
  get entry(): TableEntry | undefined {
    return this.entries[this.index];
  }

  /** Whether it was moved, and stays on its row. */
  get isMoved(): boolean {
    return this.key !== undefined;
  }

  /** Finds the place among new rows, of which `height` are on the screen. */
  follow(entries: readonly TableEntry[], height: number): void {
    this.entries = entries;
    this.height = Math.max(1, height);
    const found = this.key === undefined ? 0 : entries.findIndex(({ key }) => key === this.key);
    this.goTo(found === -1 ? this.index : found);
  }

  /** Moves by so many rows. */
  move(by: number): void {
    this.goTo(this.index + by);
    this.key = this.entry?.key;
  }

  /** Moves by so many screens. */
  page(by: number): void {
    this.move(by * this.height);
  }

  /** To the first row, whichever that will be. */
  home(): void {
    this.key = undefined;
    this.goTo(0);
  }

  end(): void {
    this.move(this.entries.length);
  }

  private goTo(index: number): void {
    const last = this.entries.length - 1;
    this.index = Math.max(0, Math.min(index, last));
    const lowest = Math.min(this.index, Math.max(0, last + 1 - this.height));
    this.top = Math.max(this.index - this.height + 1, Math.min(this.top, lowest));
  }
}
