/**
 * First in, first out, in a ring that doubles when it is full: every operation is O(1) amortised and makes no garbage.
 * It never shrinks; its slots cost little against what they hold.
 */
export class Fifo<T> {
  #slots = new Array<T | undefined>(16).fill(undefined);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The item `index` places behind the oldest one; undefined beyond the newest. */
  at(index: number): T | undefined {
    return index < this.#length ? this.#slots[(this.#head + index) & (this.#slots.length - 1)] : undefined;
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item;
    this.#length++;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length--;
    return item;
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#length = 0;
  }

  #grow(): void {
    const { length } = this.#slots;
    const slots = new Array<T | undefined>(length * 2).fill(undefined);
    for (let index = 0; index < length; index++) slots[index] = this.at(index);
    this.#slots = slots;
    this.#head = 0;
  }
}
