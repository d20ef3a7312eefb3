/** A line is not JSON, or has an unexpected shape. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
/** Digits that a double holds exactly whatever they are. */
const exactDigits = 15;

/**
 * Walks through bytes of JSON without blanks, as printers write it, from value to value. The caller knows which values to
 * expect.
 */
export class JsonCursor {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;

  begin(bytes: Buffer): void {
    this.bytes = bytes;
    this.at = 0;
  }

  /** Calls for each member of the object that begins here, with the cursor at its value, which must be passed then. */
  eachMember(take: (name: string) => void): void {
    while (this.nextMember()) take(this.name());
  }

  /** Calls for each item of the array that begins here, with the cursor at it. */
  eachItem(take: (index: number) => void): void {
    if (this.bytes[this.at] !== OPEN_ARRAY) throw new JsonError();
    for (let index = 0; this.bytes[++this.at] !== CLOSE_ARRAY; index++) {
      if (index > 0 && this.bytes[this.at++] !== COMMA) throw new JsonError();
      take(index);
      this.at--;
    }
    this.at++;
  }

  /** Goes to the name of the next member, behind its quotation mark; at the begin or between members. False at the end, which is passed. */
  nextMember(): boolean {
    const { bytes, at } = this;
    const found = bytes[at];
    if (found === CLOSE_OBJECT || (found === OPEN_OBJECT && bytes[at + 1] === CLOSE_OBJECT)) {
      this.at += found === CLOSE_OBJECT ? 1 : 2;
      return false;
    }
    if ((found !== COMMA && found !== OPEN_OBJECT) || bytes[at + 1] !== QUOTE) throw new JsonError();
    this.at = at + 2;
    return true;
  }

  /** The name of the member, and goes to its value. */
  name(): string {
    const { bytes } = this;
    const end = bytes.indexOf(QUOTE, this.at);
    if (end < 0 || bytes[end + 1] !== COLON) throw new JsonError();
    const name = bytes.toString('latin1', this.at, end);
    this.at = end + 2;
    return name;
  }

  /** Whether a text stands here. */
  get isText(): boolean {
    return this.bytes[this.at] === QUOTE;
  }

  /** Whether rows of parts stand here. */
  get isRows(): boolean {
    return this.bytes[this.at] === OPEN_ARRAY && this.bytes[this.at + 1] === OPEN_OBJECT;
  }

  /** @param likely what may stand here: then it is not made anew */
  text(likely?: string): string {
    const { bytes, at } = this;
    if (likely !== undefined && this.isThere(likely)) return likely;
    let plain = true;
    let end = at + 1;
    for (let byte = bytes[end]; byte !== QUOTE; byte = bytes[++end]) {
      if (byte === undefined) throw new JsonError();
      if (byte === BACKSLASH) end++;
      if (byte === BACKSLASH || byte >= 0x80) plain = false;
    }
    this.at = end + 1;
    if (plain) return bytes.toString('latin1', at + 1, end);
    try {
      return JSON.parse(bytes.toString('utf8', at, end + 1)) as string;
    } catch {
      throw new JsonError();
    }
  }

  /** Whether a text of plain letters stands here; if so, passes it. */
  private isThere(text: string): boolean {
    const { bytes, at } = this;
    const { length } = text;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (bytes[at + 1 + index] !== code || code >= 0x80 || code === QUOTE || code === BACKSLASH)
        return false;
    }
    if (bytes[at + 1 + length] !== QUOTE) return false;
    this.at = at + length + 2;
    return true;
  }

  number(): number {
    const { bytes } = this;
    const begin = this.at;
    let at = bytes[begin] === MINUS ? begin + 1 : begin;
    let digits = 0;
    let decimals = 0;
    let value = 0;
    for (let byte = bytes[at] as number; ; byte = bytes[++at] as number) {
      if (byte >= ZERO && byte <= NINE) {
        value = value * 10 + byte - ZERO;
        digits++;
        if (decimals > 0) decimals++;
      } else if (byte === POINT && decimals === 0) {
        decimals = 1;
      } else {
        break;
      }
    }
    const end = bytes[at];
    if (digits === 0) throw new JsonError();
    if (digits > exactDigits || (end !== COMMA && end !== CLOSE_OBJECT)) {
      this.skip();
      return Number(bytes.toString('latin1', begin, this.at));
    }
    this.at = at;
    if (decimals > 1) value /= powersOfTen[decimals - 1] as number;
    return bytes[begin] === MINUS ? -value : value;
  }

  /**
   * Passes an array of objects that hold no others, most of which is not looked at. Its end is what stands before the quotation
   * mark of a name: within a text such a mark would end the text, and no letter would follow.
   */
  skipRows(): void {
    const { bytes, at } = this;
    for (let end = bytes.indexOf(CLOSE_ARRAY, at); end >= 0; end = bytes.indexOf(CLOSE_ARRAY, end + 1)) {
      if (bytes[end - 1] !== CLOSE_OBJECT) continue;
      let next = end + 1;
      if (bytes[next] === CLOSE_OBJECT) next++;
      if (next > end + 1 && bytes[next] === CLOSE_ARRAY) next++;
      const isNext = bytes[next] === COMMA;
      if (isNext && bytes[next + 1] === OPEN_OBJECT) next++;
      if (!isNext || bytes[next + 1] !== QUOTE || !isLetter(bytes[next + 2] ?? 0)) continue;
      this.at = end + 1;
      return;
    }
    this.skip();
  }

  /** Passes the value that stands here, whatever it is. */
  skip(): void {
    const { bytes } = this;
    const first = bytes[this.at];
    if (first === QUOTE) this.skipText();
    else if (first === OPEN_ARRAY || first === OPEN_OBJECT) this.skipNested();
    else {
      let { at } = this;
      for (
        let byte = bytes[at];
        byte !== COMMA && byte !== CLOSE_OBJECT && byte !== CLOSE_ARRAY;
        byte = bytes[++at]
      )
        if (byte === undefined) throw new JsonError();
      this.at = at;
    }
  }

  private skipText(): void {
    const { bytes } = this;
    let at = this.at + 1;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[++at]) {
      if (byte === undefined) throw new JsonError();
      if (byte === BACKSLASH) at++;
    }
    this.at = at + 1;
  }

  private skipNested(): void {
    const { bytes } = this;
    let { at } = this;
    let depth = 0;
    do {
      const byte = bytes[at++];
      if (byte === QUOTE) {
        for (let each = bytes[at]; each !== QUOTE; each = bytes[++at]) {
          if (each === undefined) throw new JsonError();
          if (each === BACKSLASH) at++;
        }
        at++;
      } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth++;
      else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--;
      else if (byte === undefined) throw new JsonError();
    } while (depth > 0);
    this.at = at;
  }
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}

const powersOfTen = Float64Array.from({ length: exactDigits + 1 }, (_, power) => 10 ** power);
