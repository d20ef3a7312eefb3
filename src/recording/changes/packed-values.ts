import { endOfValue } from '../../delivery/file/msgpack-end.ts';

/**
 * Reads MessagePack values in a buffer one behind the other, without objects in between. Source: github.com/msgpack/msgpack,
 * spec.md. What would be read beyond the end throws a RangeError.
 */
export class PackedValues {
  /** Where the next value begins. */
  private at = 0;
  private bytes: Buffer = Buffer.alloc(0);
  private view: DataView = new DataView(new ArrayBuffer(0));

  /** Begins with another buffer. */
  open(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  /** Passes over the value that begins here. */
  skip(): void {
    this.at = endOfValue(this.bytes, this.at) ?? this.bytes.length;
  }

  /** The text that begins here, and goes behind it; undefined for another value, which is passed over. */
  text(): string | undefined {
    const length = this.textLength();
    if (length < 0) {
      this.skip();
      return undefined;
    }
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  /** The number that begins here, and goes behind it; NaN for another value, which is passed over. */
  number(): number {
    const { view, at } = this;
    const type = view.getUint8(at);
    if (type < 0x80 || type >= 0xe0) {
      this.at++;
      return type < 0x80 ? type : type - 0x100;
    }
    switch (type) {
      case 0xc0:
        this.at++;
        return NaN;
      case 0xca:
        this.at += 5;
        return view.getFloat32(at + 1);
      case 0xcb:
        this.at += 9;
        return view.getFloat64(at + 1);
      case 0xcc:
        this.at += 2;
        return view.getUint8(at + 1);
      case 0xcd:
        this.at += 3;
        return view.getUint16(at + 1);
      case 0xce:
        this.at += 5;
        return view.getUint32(at + 1);
      case 0xcf:
        this.at += 9;
        return Number(view.getBigUint64(at + 1));
      case 0xd0:
        this.at += 2;
        return view.getInt8(at + 1);
      case 0xd1:
        this.at += 3;
        return view.getInt16(at + 1);
      case 0xd2:
        this.at += 5;
        return view.getInt32(at + 1);
      case 0xd3:
        this.at += 9;
        return Number(view.getBigInt64(at + 1));
      default:
        this.skip();
        return NaN;
    }
  }

  /**
   * Puts the number that begins here into a slot, and goes behind it; NaN for another value, and for one that is not finite. As the
   * result of a function each would be an object for V8.
   */
  numberInto(values: Float64Array, slot: number): void {
    const { view, at } = this;
    if (view.getUint8(at) === 0xcb) {
      values[slot] = view.getFloat64(at + 1);
      this.at += 9;
    } else values[slot] = this.number();
    if (!Number.isFinite(values[slot])) values[slot] = NaN;
  }

  /** Bytes of the text that begins here, and goes to the first; -1 for another value, at which it stays. */
  private textLength(): number {
    const { view, at } = this;
    const type = view.getUint8(at);
    if (type >= 0xa0 && type < 0xc0) {
      this.at = at + 1;
      return type & 0x1f;
    }
    switch (type) {
      case 0xd9:
        this.at = at + 2;
        return view.getUint8(at + 1);
      case 0xda:
        this.at = at + 3;
        return view.getUint16(at + 1);
      case 0xdb:
        this.at = at + 5;
        return view.getUint32(at + 1);
      default:
        return -1;
    }
  }
}
