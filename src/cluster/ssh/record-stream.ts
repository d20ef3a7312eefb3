import { formatThatBegins, understoodSchema } from '../../recording/format.ts';
import type { Fields, Format } from '../../recording/format.ts';
import { MsgpackEnds } from '../../recording/input/msgpack-ends.ts';
import { brief } from '../../base/strings/printable.ts';
import { Allowance } from '../allowance.ts';
import type { TroubleKind } from '../node-source.ts';

/** Maximum bytes of a record: a node with a thousand guests and all metrics. */
const LARGEST_RECORD = 8 << 20;
/** Bytes a second that come in the long run at most. */
const MOST_BYTES = 8 << 20;
/** Records a second that come in the long run at most, where one is wanted. */
const MOST_RECORDS = 4;
/** Seconds of either that may come at once. */
const SAVED_UP = 15;
const FIRST_BUFFER = 64 << 10;

/** Bytes that are no stream of samples, or one that is not understood. The message is for people. */
export class StreamError extends Error {
  override readonly name = 'StreamError';

  constructor(
    readonly kind: TroubleKind & ('garbled' | 'schema' | 'slow'),
    message: string,
  ) {
    super(message);
  }
}

/**
 * Splits the output of a remote proxtop into records: MessagePack maps, one a sample. Whatever the input, it keeps at most
 * one record of bounded size and reads each byte once.
 */
export class RecordStream {
  private readonly ends = new MsgpackEnds();
  private readonly bytes = new Allowance(MOST_BYTES, SAVED_UP * MOST_BYTES);
  private readonly records = new Allowance(MOST_RECORDS, SAVED_UP * MOST_RECORDS);
  /** What came of the present record. */
  private held = Buffer.allocUnsafe(0);
  private length = 0;
  private format: Format | undefined;

  /** @param take gets the fields of each record; binary ones are valid until it returns */
  constructor(private readonly take: (fields: Fields) => void) {}

  /** Whether a part of a record has come, and not its end. */
  get hasPart(): boolean {
    return this.length > 0;
  }

  /**
   * @param now monotonic ms
   * @throws StreamError after which nothing more can be read
   */
  push(piece: Buffer, now: number): void {
    if (piece.length === 0) return;
    if (!this.bytes.take(piece.length, now)) throw tooMuch(`${MOST_BYTES >> 20} MiB`);
    this.format ??= requireMsgpack(piece);
    let at = 0;
    for (let end = this.ends.next(piece, at); end !== undefined; end = this.ends.next(piece, at)) {
      if (!this.records.take(1, now)) throw tooMuch(`${MOST_RECORDS} samples`);
      this.whole(piece.subarray(at, end), this.format);
      at = end;
    }
    if (at < piece.length) this.hold(piece.subarray(at));
  }

  private whole(last: Buffer, format: Format): void {
    let record = last;
    if (this.length > 0) {
      this.hold(last);
      record = this.held.subarray(0, this.length);
      this.length = 0;
    }
    const fields = format.decode(record);
    const schema = format.head(record)?.schema;
    if (fields === undefined || schema === undefined)
      throw new StreamError('garbled', 'found data that is no sample of proxtop');
    if (schema !== understoodSchema) {
      throw new StreamError(
        'schema',
        `the proxtop there writes schema ${schema}, this one reads schema ${understoodSchema}: ` +
          'install the same version on both',
      );
    }
    this.take(fields);
  }

  private hold(piece: Buffer): void {
    const length = this.length + piece.length;
    if (length > LARGEST_RECORD)
      throw new StreamError('garbled', `it sends more than ${LARGEST_RECORD >> 20} MiB as one sample`);
    if (length > this.held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BUFFER, 2 ** Math.ceil(Math.log2(length))));
      this.held.copy(larger, 0, 0, this.length);
      this.held = larger;
    }
    piece.copy(this.held, this.length);
    this.length = length;
  }
}

function requireMsgpack(piece: Buffer): Format {
  const first = piece[0] ?? 0;
  const format = formatThatBegins(first);
  if (format !== undefined && first >= 0x80) return format;
  const [line = ''] = piece.subarray(0, 200).toString().split('\n');
  throw new StreamError(
    'garbled',
    `found ${JSON.stringify(brief(line, 60))}, expected samples of proxtop; a login script may be printing to standard output`,
  );
}

function tooMuch(what: string): StreamError {
  return new StreamError('garbled', `it sends more than ${what} a second`);
}
