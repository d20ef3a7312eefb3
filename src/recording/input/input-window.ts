/** Bytes that can be gone back over at most. */
const MOST = 8 << 20;

/** Bytes that come in pieces, read one after the other; one can go back to where something began. */
export class InputWindow {
  private readonly chunks: AsyncIterator<Buffer>;
  /** Those that were read since what was begun last, and those to come that are here already. */
  private pieces: Buffer[] = [];
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private ended = false;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether there are so many bytes to be read. */
  async has(count: number): Promise<boolean> {
    while (this.length - this.at < count && !this.ended) {
      const next = await this.chunks.next();
      if (next.done === true) this.ended = true;
      else this.pieces.push(next.value);
    }
    return this.length - this.at >= count;
  }

  /** Reads bytes, which must be here. */
  take(count: number): Buffer {
    const taken = this.peek(count);
    this.at += count;
    return taken;
  }

  /** The next bytes that are here, at most so many. */
  peek(most: number): Buffer {
    this.join();
    return this.bytes.subarray(this.at, this.at + most);
  }

  /** Reads a text that ends with a zero. @returns whether it ends */
  async skipText(): Promise<boolean> {
    while (await this.has(1)) if (this.take(1)[0] === 0) return true;
    return false;
  }

  /** Marks the start of the next item; going back beyond it is not needed. */
  forget(): void {
    this.join();
    this.bytes = this.bytes.subarray(this.at);
    this.at = 0;
  }

  /** Goes back to what was begun last, as far as it is still here. */
  back(): void {
    this.at = 0;
  }

  /** Goes to the next place, behind this one, at which some bytes stand. @returns false at the end */
  async find(mark: Buffer): Promise<boolean> {
    this.at++;
    while (await this.has(mark.length)) {
      this.join();
      const found = this.bytes.indexOf(mark, this.at);
      if (found >= 0) {
        this.at = found;
        this.forget();
        return true;
      }
      this.at = this.bytes.length - mark.length + 1;
      this.forget();
    }
    return false;
  }

  private get length(): number {
    return this.bytes.length + this.pieces.reduce((sum, { length }) => sum + length, 0);
  }

  private join(): void {
    if (this.pieces.length === 0) return;
    if (this.at > MOST) this.forgetRead();
    this.bytes = Buffer.concat([this.bytes, ...this.pieces]);
    this.pieces = [];
  }

  /** What was read is too much to be kept. */
  private forgetRead(): void {
    this.bytes = this.bytes.subarray(this.at);
    this.at = 0;
  }
}
