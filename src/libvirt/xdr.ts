/** Longest string the protocol allows, in bytes. */
const LONGEST_STRING = 4 * 1024 * 1024;
const INITIAL_SIZE = 256;
const TWO_32 = 2 ** 32;

/** Bytes that are not what the protocol says stands there. */
export class XdrError extends Error {
  override readonly name = 'XdrError';
  readonly code = 'LIBVIRT_XDR';
}

/**
 * Reads XDR (RFC 4506): everything is big-endian and padded to four bytes.
 *
 * Every length is checked against the protocol's limit and against the bytes that are really there before anything is
 * allocated; every read throws {@link XdrError} past the end.
 */
export class XdrReader {
  private pos = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Buffer) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.bytes.length - this.pos;
  }

  /** The bytes that were not read yet; they share memory with the message. */
  get rest(): Buffer {
    return this.bytes.subarray(this.pos);
  }

  int(): number {
    return this.view.getInt32(this.take(4));
  }

  uint(): number {
    return this.view.getUint32(this.take(4));
  }

  /** Signed 64 bits, rounded to the nearest double above 2^53. */
  hyper(): number {
    const at = this.take(8);
    return this.view.getInt32(at) * TWO_32 + this.view.getUint32(at + 4);
  }

  /** Unsigned 64 bits, rounded to the nearest double above 2^53. */
  uhyper(): number {
    const at = this.take(8);
    return this.view.getUint32(at) * TWO_32 + this.view.getUint32(at + 4);
  }

  double(): number {
    return this.view.getFloat64(this.take(8));
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  /** A string in UTF-8. */
  string(): string {
    const length = this.length(LONGEST_STRING);
    const at = this.take(padded(length));
    return this.bytes.toString('utf8', at, at + length);
  }

  /** A value that may be missing. */
  optional<T>(read: (reader: XdrReader) => T): T | undefined {
    return this.bool() ? read(this) : undefined;
  }

  /** A list of at most `most` values. Grows as values are read, so a count that is only claimed allocates nothing. */
  array<T>(most: number, read: (reader: XdrReader) => T): T[] {
    const count = this.length(most);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read(this));
    return items;
  }

  /** The length of a string or list, at most `most`. */
  length(most: number): number {
    const count = this.uint();
    if (count > most) throw new XdrError(`a length of ${count} where at most ${most} is allowed`);
    return count;
  }

  /** A UUID of 16 bytes, in lower case with dashes. */
  uuid(): string {
    const at = this.take(16);
    const hex = this.bytes.toString('hex', at, at + 16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  private take(length: number): number {
    const at = this.pos;
    if (length > this.left) throw new XdrError(`the message ends ${length - this.left} bytes too early`);
    this.pos = at + length;
    return at;
  }
}

/** Writes XDR into a buffer that grows. */
export class XdrWriter {
  private buffer = Buffer.alloc(INITIAL_SIZE);
  private pos = 0;

  int(value: number): this {
    const at = this.reserve(4);
    this.pos = this.buffer.writeInt32BE(value, at);
    return this;
  }

  uint(value: number): this {
    const at = this.reserve(4);
    this.pos = this.buffer.writeUInt32BE(value, at);
    return this;
  }

  string(value: string): this {
    const length = Buffer.byteLength(value);
    if (length > LONGEST_STRING) throw new XdrError(`a string of ${length} bytes is too long for libvirt`);
    this.uint(length);
    const at = this.reserve(padded(length));
    this.buffer.write(value, at);
    this.pos = at + padded(length);
    return this;
  }

  /** A value that may be missing. */
  optional<T>(value: T | undefined, write: (writer: XdrWriter, value: T) => void): this {
    this.uint(value === undefined ? 0 : 1);
    if (value !== undefined) write(this, value);
    return this;
  }

  array<T>(items: readonly T[], write: (writer: XdrWriter, item: T) => void): this {
    this.uint(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  /** A UUID as {@link XdrReader.uuid} gives it. */
  uuid(value: string): this {
    const hex = value.replaceAll('-', '');
    if (!/^[0-9a-f]{32}$/i.test(hex)) throw new XdrError(`not a UUID: ${JSON.stringify(value)}`);
    const at = this.reserve(16);
    this.pos = at + this.buffer.write(hex, at, 'hex');
    return this;
  }

  /** What was written so far; shares memory with the writer. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.pos);
  }

  /** Makes room for `length` zero bytes and returns where they start. */
  private reserve(length: number): number {
    const needed = this.pos + length;
    if (needed > this.buffer.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * this.buffer.length));
      this.buffer.copy(larger, 0, 0, this.pos);
      this.buffer = larger;
    }
    return this.pos;
  }
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
