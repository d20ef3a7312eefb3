/** Reach of a back reference: blocks of this size are compressed one by one. */
const blockBytes = 1 << 16;
/** Bits of the table by which an earlier place with the same four bytes is found. */
const hashBits = 14;
/** Bytes before the end of a block in which no match is searched for. */
const margin = 15;
/** The longest match of one back reference. */
const longestCopy = 64;

/** Reused, because requests are compressed one at a time. */
const table = new Uint16Array(1 << hashBits);

/**
 * Compresses to one block of Snappy, without a frame around it, as Prometheus's remote write wants it. 4.2 MB of series,
 * those of 200 VMs with devices, take 9.5 ms and become a ninth; printing them takes 15 ms (bench/printers.ts).
 *
 * Source: https://github.com/google/snappy/blob/main/format_description.txt
 */
export function snappy(plain: Buffer): Buffer {
  const out = new SnappyWriter(plain);
  for (let at = 0; at < plain.length; at += blockBytes)
    out.block(at, Math.min(plain.length, at + blockBytes));
  return out.take();
}

class SnappyWriter {
  private readonly bytes: Buffer;
  private used = 0;

  constructor(private readonly plain: Buffer) {
    // What cannot be compressed grows by a sixth at most.
    this.bytes = Buffer.allocUnsafe(32 + plain.length + Math.ceil(plain.length / 6));
    let rest = plain.length;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.bytes[this.used++] = (rest % 128) | 128;
    this.bytes[this.used++] = rest;
  }

  take(): Buffer {
    return this.bytes.subarray(0, this.used);
  }

  /** Compresses the bytes from `begin` on to before `end`. */
  block(begin: number, end: number): void {
    table.fill(0);
    const limit = end - margin;
    /** Start of the bytes that are not written yet. */
    let from = begin;
    let at = begin + 1;
    // The longer no match is found, the fewer places are checked.
    for (let misses = 32; at < limit; at += misses++ >>> 5) {
      let earlier = this.earlier(at, begin);
      if (earlier < 0) continue;
      this.literal(from, at);
      for (; earlier >= 0; earlier = this.earlier(at, begin)) {
        const length = this.matching(earlier, at, end);
        this.copy(at - earlier, length);
        at += length;
        from = at;
        if (at >= limit) break;
        this.earlier(at - 1, begin);
      }
      misses = 32;
    }
    this.literal(from, end);
  }

  /** An earlier place in the block with the same four bytes, or -1; from now on this place is known. */
  private earlier(at: number, begin: number): number {
    const four = this.four(at);
    const hash = Math.imul(four, 0x1e35a7bd) >>> (32 - hashBits);
    const found = begin + (table[hash] as number);
    table[hash] = at - begin;
    return found < at && this.four(found) === four ? found : -1;
  }

  private four(at: number): number {
    const { plain } = this;
    return (
      (plain[at] as number) |
      ((plain[at + 1] as number) << 8) |
      ((plain[at + 2] as number) << 16) |
      ((plain[at + 3] as number) << 24)
    );
  }

  /** How many bytes are the same at both places, of which four are known to be. */
  private matching(earlier: number, at: number, end: number): number {
    const { plain } = this;
    let length = 4;
    while (at + length < end && plain[earlier + length] === plain[at + length]) length++;
    return length;
  }

  private literal(from: number, to: number): void {
    const length = to - from;
    if (length === 0) return;
    const { bytes } = this;
    const last = length - 1;
    if (last < 60) bytes[this.used++] = last << 2;
    else if (last < 256) {
      bytes[this.used++] = 60 << 2;
      bytes[this.used++] = last;
    } else {
      bytes[this.used++] = 61 << 2;
      bytes[this.used++] = last & 255;
      bytes[this.used++] = last >> 8;
    }
    this.plain.copy(bytes, this.used, from, to);
    this.used += length;
  }

  private copy(offset: number, length: number): void {
    let rest = length;
    for (; rest >= longestCopy + 4; rest -= longestCopy) this.copyOf(offset, longestCopy);
    // What is left must not be shorter than four.
    if (rest > longestCopy) {
      this.copyOf(offset, longestCopy - 4);
      rest -= longestCopy - 4;
    }
    this.copyOf(offset, rest);
  }

  /** @param length from 4 to 64 */
  private copyOf(offset: number, length: number): void {
    const { bytes } = this;
    if (length < 12 && offset < 2048) {
      bytes[this.used++] = 1 | ((length - 4) << 2) | ((offset >> 8) << 5);
      bytes[this.used++] = offset & 255;
      return;
    }
    bytes[this.used++] = 2 | ((length - 1) << 2);
    bytes[this.used++] = offset & 255;
    bytes[this.used++] = offset >> 8;
  }
}
