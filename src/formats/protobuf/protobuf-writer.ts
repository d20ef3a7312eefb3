import { ByteWriter } from '../shared/byte-writer.ts';

/** How a field is written: the lower three bits of its tag. */
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;

/** Bytes of a length that is filled in afterwards, and the largest that fits. */
const LENGTH_BYTES = 4;
const maxLength = 2 ** 28 - 1;
const WORD = 2 ** 32;

/**
 * Writes messages of Protocol Buffers field by field. Fields stand in the order of the calls; any order is valid. As a
 * message of repeated fields can be concatenated with another one of its kind, so can what {@link take} returns.
 *
 * A message that is written in place, between {@link begin} and {@link end}, has its length in four bytes, whatever it
 * is, so that nothing is measured or moved; readers take lengths with leading zeros (protoc, VictoriaMetrics, Prometheus).
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufWriter {
  private readonly out = new ByteWriter();

  /** Bytes written since the last {@link take}. */
  get length(): number {
    return this.out.length;
  }

  /** An int64, int32, bool or enum. @param value whole, at most 2^53 from 0 */
  int64(field: number, value: number): void {
    this.tag(field, VARINT);
    if (value >= 0) this.varint(value);
    else this.negative(value);
  }

  /** @param value whole, from 0 below 2^64 */
  fixed64(field: number, value: bigint): void {
    this.tag(field, FIXED64);
    this.out.uint32(Number(value & 0xffff_ffffn));
    this.out.uint32(Number(value >> 32n));
  }

  double(field: number, value: number): void {
    this.tag(field, FIXED64);
    this.out.double(value);
  }

  /** A string as UTF-8. */
  string(field: number, text: string): void {
    this.tag(field, DELIMITED);
    this.varint(Buffer.byteLength(text));
    this.out.text(text);
  }

  /** A string, bytes or a message that is ready. */
  bytes(field: number, bytes: Uint8Array): void {
    this.tag(field, DELIMITED);
    this.varint(bytes.length);
    this.out.append(bytes);
  }

  /** Repeated doubles, packed. */
  packedDoubles(field: number, values: readonly number[]): void {
    this.tag(field, DELIMITED);
    this.varint(8 * values.length);
    for (const value of values) this.out.double(value);
  }

  /** Repeated fixed64, packed. @param values whole, from 0 to 2^53 */
  packedFixed64(field: number, values: Float64Array): void {
    this.tag(field, DELIMITED);
    this.varint(8 * values.length);
    for (const value of values) {
      this.out.uint32(value % WORD);
      this.out.uint32(Math.floor(value / WORD));
    }
  }

  /** Begins a message. @returns what {@link end} needs to end it */
  begin(field: number): number {
    this.tag(field, DELIMITED);
    this.out.uint32(0);
    return this.out.length;
  }

  /** Ends the message that began there. @throws RangeError for one of 256 MiB or more */
  end(begin: number): void {
    const length = this.out.length - begin;
    if (length > maxLength) throw new RangeError(`a message of ${length} bytes, expected less than 256 MiB`);
    const at = begin - LENGTH_BYTES;
    this.out.replace(at, (length & 127) | 128);
    this.out.replace(at + 1, ((length >> 7) & 127) | 128);
    this.out.replace(at + 2, ((length >> 14) & 127) | 128);
    this.out.replace(at + 3, length >> 21);
  }

  /**
   * Begins a message of a length that is known. Its fields follow; there is nothing to end.
   *
   * @param length bytes of these fields
   */
  sized(field: number, length: number): void {
    this.tag(field, DELIMITED);
    this.varint(length);
  }

  /** Appends fields that are ready, with their tags. */
  append(fields: Uint8Array): void {
    this.out.append(fields);
  }

  /** Forgets what was written from an offset on. */
  truncate(length: number): void {
    this.out.truncate(length);
  }

  /** Returns a copy of what was written and starts again. */
  take(): Buffer {
    return this.out.take();
  }

  private tag(field: number, type: number): void {
    this.varint((field << 3) | type);
  }

  /** @param value whole, from 0 to 2^53 */
  private varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.out.byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.out.byte(rest);
  }

  /** The ten bytes of a negative number: its 64 bits in two's complement. */
  private negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 128n; rest >>= 7n) this.out.byte(Number(rest & 127n) | 128);
    this.out.byte(Number(rest));
  }
}
