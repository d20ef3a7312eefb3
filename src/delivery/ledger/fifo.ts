/**
 * First in, first out, in a ring that doubles when it is full: every operation is O(1) amortised and makes no garbage.
 * It never shrinks; its slots cost little against what they hold.
 */
export class Fifo<T> {
  private slots = new Array<T | undefined>(16).fill(undefined);
  private head = 0;
  private count = 0;

  get length(): number {
    return this.count;
  }

  /** The item `index` places behind the oldest one; undefined beyond the newest. */
  at(index: number): T | undefined {
    return index < this.count ? this.slots[(this.head + index) & (this.slots.length - 1)] : undefined;
  }

  push(item: T): void {
    if (this.count === this.slots.length) this.grow();
    this.slots[(this.head + this.count) & (this.slots.length - 1)] = item;
    this.count++;
  }

  /** Puts an item before the oldest one. */
  unshift(item: T): void {
    if (this.count === this.slots.length) this.grow();
    this.head = (this.head - 1) & (this.slots.length - 1);
    this.slots[this.head] = item;
    this.count++;
  }

  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const item = this.slots[this.head];
    this.slots[this.head] = undefined;
    this.head = (this.head + 1) & (this.slots.length - 1);
    this.count--;
    return item;
  }

  clear(): void {
    this.slots.fill(undefined);
    this.count = 0;
  }

  private grow(): void {
    const { length } = this.slots;
    const slots = new Array<T | undefined>(length * 2).fill(undefined);
    for (let index = 0; index < length; index++) slots[index] = this.at(index);
    this.slots = slots;
    this.head = 0;
  }
}
