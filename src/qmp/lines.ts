const NEWLINE = 0x0a;
const nothing = Buffer.alloc(0);

/**
 * Cuts a stream of bytes, which comes in chunks of any size, into lines. QEMU ends every message with a newline and
 * writes none within (but for a monitor made with pretty=on, which Proxmox VE and libvirt never do).
 *
 * Usage: feed a chunk, then take lines until {@link next} gives undefined.
 */
export class Lines {
  /** The start of a line that is not complete yet; copies, because chunks share a buffer. */
  private pieces: Buffer[] = [];
  private chunk: Buffer = nothing;
  private pos = 0;

  feed(chunk: Buffer): void {
    this.chunk = chunk;
    this.pos = 0;
  }

  /** All that was fed and not taken. Nothing of it stays. */
  rest(): Buffer {
    const rest = Buffer.concat([...this.pieces, this.chunk.subarray(this.pos)]);
    this.pieces = [];
    this.feed(nothing);
    return rest;
  }

  /** The next line without its newline; undefined when the chunk holds no more complete one. */
  next(): string | undefined {
    const { chunk, pos, pieces } = this;
    const newline = chunk.indexOf(NEWLINE, pos);
    if (newline < 0) {
      if (pos < chunk.length) pieces.push(Buffer.from(chunk.subarray(pos)));
      this.pos = chunk.length;
      return undefined;
    }
    this.pos = newline + 1;
    if (pieces.length === 0) return chunk.toString('utf8', pos, newline);
    this.pieces = [];
    return Buffer.concat([...pieces, chunk.subarray(pos, newline)]).toString();
  }
}
