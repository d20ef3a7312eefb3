/**
 * Finds the records for which a server refuses a whole request: it is sent again in halves, and these in halves, until
 * those that are refused are one record each. All others arrive. One such record among n costs about 2 log2(n) requests; if
 * there are many, what is still refused after 2 log2(n) halvings counts as refused as a whole.
 *
 * After a search in which the server accepted nothing, there is no other until it accepts something.
 */
export class Halving {
  /** Records of the next requests, in order; empty while there is no search. */
  private readonly parts: number[] = [];
  private splits = 0;
  /** Whether the server took a record since the last search began. */
  private took = true;

  /** How many records the next request may have. */
  get most(): number {
    return this.parts[0] ?? Infinity;
  }

  /** A request of so many records was refused. @returns whether they are to be sent again, in halves */
  split(records: number): boolean {
    if (records === 1) return false;
    if (this.parts.length === 0) {
      if (!this.took) return false;
      this.took = false;
      this.splits = 2 * Math.ceil(Math.log2(records));
      this.parts.push(records);
    }
    if (this.splits-- <= 0) return false;
    const half = Math.ceil(records / 2);
    this.leave(records);
    this.parts.unshift(half, records - half);
    return true;
  }

  /** The records of a request are settled. @param took whether the server accepted one of them */
  settle(records: number, took: boolean): void {
    this.took ||= took;
    this.leave(records);
  }

  /** The records of the search are gone. */
  end(): void {
    this.parts.length = 0;
  }

  private leave(records: number): void {
    const [first] = this.parts;
    if (first === undefined) return;
    if (first > records) this.parts[0] = first - records;
    else this.parts.shift();
  }
}
