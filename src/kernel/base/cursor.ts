const NINE = 0x39;
const ZERO = 0x30;
const SPACE = 0x20;
const TAB = 0x09;
const NEWLINE = 0x0a;
const DOT = 0x2e;
const MINUS = 0x2d;

/** Decimal digits that a double holds exactly, and the unit of {@link Cursor.high}. */
const EXACT_DIGITS = 15;
export const HIGH_UNIT = 1e15;

/**
 * Reads numbers and words straight out of the bytes of a kernel file, without making strings.
 *
 * Every read skips the blanks before it and stays within the line; where the line has no more columns, numbers are
 * NaN, so a column that an older kernel lacks comes out as unknown.
 */
export class Cursor {
  bytes: Uint8Array = new Uint8Array(0);
  pos = 0;
  end = 0;
  /** What the last {@link uint} exceeded 10^15 by, in units of 10^15; 0 for nearly all counters. */
  high = 0;

  /** Starts over at the first of the bytes up to `end`. */
  reset(bytes: Uint8Array, end: number, start = 0): this {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
    return this;
  }

  get atEnd(): boolean {
    return this.pos >= this.end;
  }

  skipBlanks(): void {
    const { bytes, end } = this;
    let { pos } = this;
    while (pos < end && (bytes[pos] === SPACE || bytes[pos] === TAB)) pos++;
    this.pos = pos;
  }

  /** Moves behind the next blank-separated word; false when the line has none. */
  skipWord(): boolean {
    this.skipBlanks();
    const { bytes, end, pos: start } = this;
    let pos = start;
    while (pos < end && (bytes[pos] as number) > SPACE) pos++;
    this.pos = pos;
    return pos > start;
  }

  /** Moves to the first byte of the next line. */
  skipLine(): void {
    const newline = this.bytes.indexOf(NEWLINE, this.pos);
    this.pos = newline < 0 || newline >= this.end ? this.end : newline + 1;
  }

  /**
   * An unsigned decimal number: its value modulo 10^15, exact; what lies above is left in {@link high}.
   * NaN, and nothing consumed, where no digit stands.
   */
  uint(): number {
    this.skipBlanks();
    const { bytes, end, pos: start } = this;
    let pos = start;
    let value = 0;
    const exact = Math.min(end, start + EXACT_DIGITS);
    for (; pos < exact; pos++) {
      const digit = (bytes[pos] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.high = 0;
    if (pos === start) return NaN;
    this.pos = pos;
    return pos === exact && pos < end && isDigit(bytes[pos]) ? this.longUint(start) : value;
  }

  private longUint(start: number): number {
    const { bytes, end } = this;
    let stop = start;
    while (stop < end && isDigit(bytes[stop])) stop++;
    const split = stop - EXACT_DIGITS;
    let high = 0;
    for (let i = start; i < split; i++) high = high * 10 + ((bytes[i] as number) - ZERO);
    let low = 0;
    for (let i = split; i < stop; i++) low = low * 10 + ((bytes[i] as number) - ZERO);
    this.high = high;
    this.pos = stop;
    return low;
  }

  /** A signed whole number up to 2^53, or NaN. */
  int(): number {
    this.skipBlanks();
    if (this.bytes[this.pos] !== MINUS || this.pos >= this.end) return this.uint() + this.high * HIGH_UNIT;
    this.pos++;
    return -(this.uint() + this.high * HIGH_UNIT);
  }

  /** A number with an optional decimal fraction, such as `12.50`: the nearest double, or NaN. */
  decimal(): number {
    this.skipBlanks();
    const sign = this.pos < this.end && this.bytes[this.pos] === MINUS ? -1 : 1;
    const whole = Math.abs(this.int());
    if (Number.isNaN(whole) || this.pos >= this.end || this.bytes[this.pos] !== DOT) return sign * whole;
    const start = ++this.pos;
    if (start >= this.end || !isDigit(this.bytes[start])) return sign * whole;
    const fraction = this.uint();
    const unit = 10 ** (this.pos - start);
    // One division of whole numbers: 1 + 14 / 100 would be 1.1400000000000001.
    return (sign * (whole * unit + fraction)) / unit;
  }

  /** Whether the bytes at the cursor are `word`; moves behind it if so. */
  take(word: Uint8Array): boolean {
    const { bytes, pos } = this;
    if (pos + word.length > this.end) return false;
    for (let i = 0; i < word.length; i++) if (bytes[pos + i] !== word[i]) return false;
    this.pos = pos + word.length;
    return true;
  }

  /** The bytes from `start` up to the cursor as text. */
  text(start: number, stop = this.pos): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, Math.max(0, stop - start)).toString(
      'utf8',
    );
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
