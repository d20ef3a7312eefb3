import { childrenOf, headOf, lengthOf } from '../../delivery/file/msgpack-end.ts';

/** Bytes of the longest head of a value: its type and a length of 8 bytes. */
const LONGEST_HEAD = 9;

/** Finds where MessagePack values end in bytes that come in pieces, and looks at each byte once. */
export class MsgpackEnds {
  /** Values that are missing to the end of the present one, with those inside it. */
  private missing = 1;
  /** Bytes to come of the value inside it that was begun. */
  private rest = 0;
  /** The beginning of a value, when a piece ended within what tells its length. */
  private readonly head = Buffer.alloc(LONGEST_HEAD);
  private held = 0;

  /** Where the present value ends in a piece, looked at from `from` on; undefined where it goes on in the next piece. */
  next(piece: Buffer, from: number): number | undefined {
    let at = from;
    for (;;) {
      const passed = Math.min(this.rest, piece.length - at);
      at += passed;
      this.rest -= passed;
      if (this.rest > 0) return undefined;
      if (this.missing === 0) {
        this.missing = 1;
        return at;
      }
      if (at === piece.length) return undefined;
      if (this.held > 0) at = this.complete(piece, at);
      else if (at + headOf(piece[at] ?? 0) > piece.length) this.held = piece.copy(this.head, 0, at);
      else this.begin(piece, at);
      if (this.held > 0) return undefined;
    }
  }

  /** Takes what the head that was begun lacks; returns where that ends. */
  private complete(piece: Buffer, from: number): number {
    const length = headOf(this.head[0] ?? 0);
    const taken = piece.copy(this.head, this.held, from, from + length - this.held);
    this.held += taken;
    if (this.held < length) return from + taken;
    this.begin(this.head, 0);
    this.rest -= length;
    this.held = 0;
    return from + taken;
  }

  private begin(bytes: Buffer, at: number): void {
    this.missing += childrenOf(bytes, at) - 1;
    this.rest = lengthOf(bytes, at);
  }
}
