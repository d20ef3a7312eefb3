import { ByteWriter } from '../shared/byte-writer.ts';

/** Writes MessagePack values one behind the other, each in the fewest bytes. Source: github.com/msgpack/msgpack, spec.md. */
export class PackedWriter {
  private readonly bytes = new ByteWriter();
  /** The type of a number and what follows it, of each size. */
  private readonly word = Buffer.from([0xca, 0, 0, 0, 0]);
  private readonly double = Buffer.from([0xcb, 0, 0, 0, 0, 0, 0, 0, 0]);

  /** Returns a copy of what was written and starts anew. */
  take(): Buffer {
    return this.bytes.take();
  }

  /** A number; nil where it is not finite. */
  number(value: number): void {
    const { bytes, word, double } = this;
    if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) {
      this.whole(value);
    } else if (Math.fround(value) === value && Number.isFinite(value)) {
      word[0] = 0xca;
      word.writeFloatBE(value, 1);
      bytes.append(word);
    } else if (Number.isFinite(value)) {
      double.writeDoubleBE(value, 1);
      bytes.append(double);
    } else this.nil();
  }

  nil(): void {
    this.bytes.byte(0xc0);
  }

  text(text: string): void {
    const length = Buffer.byteLength(text);
    if (length < 0x20) this.bytes.byte(0xa0 | length);
    else this.head(0xdb, length);
    this.bytes.text(text);
  }

  private whole(value: number): void {
    const { bytes } = this;
    if (value < 0x80) {
      bytes.byte(value);
    } else if (value < 0x1_0000) {
      bytes.byte(0xcd);
      bytes.byte(value >> 8);
      bytes.byte(value & 0xff);
    } else this.head(0xce, value);
  }

  private head(type: number, count: number): void {
    const { bytes, word } = this;
    word[0] = type;
    word.writeUInt32BE(count, 1);
    bytes.append(word);
  }
}
