import { RecordingError } from './errors.ts';
import { formatOf } from './format.ts';
import type { Format, Head } from './format.ts';

/** The schema of samples that is understood. */
const SCHEMA = 1;

/** The records of one sample, where they stand in the file. */
export interface Entry {
  /** When it was taken, ms since 1970. */
  readonly time: number;
  /** Bytes of the file, uncompressed, before it. */
  readonly offset: number;
  readonly format: Format;
  /** One for the whole sample, or one for each of its rows. */
  readonly records: readonly Buffer[];
  /** Bytes from the beginning of the first record to the end of the last. */
  readonly length: number;
}

/** What was passed over. */
export interface Skipped {
  /** Records that are torn, damaged or of another schema. */
  records: number;
}

/**
 * Finds the samples in the bytes of a file: JSON lines or MessagePack, one record a sample or one a row. Keeps no more
 * than one sample in memory. Records that cannot be read are passed over and counted: a file may end in the middle of
 * one, and goes on behind it when the program was started again.
 *
 * @throws RecordingError for a file that holds something else, or nothing
 */
export async function* entriesOf(
  path: string,
  chunks: AsyncIterable<Buffer>,
  skipped: Skipped,
): AsyncGenerator<Entry> {
  let entry: (Entry & { records: Buffer[]; head: Head }) | undefined;
  let found = false;
  for await (const { format, record, offset } of recordsOf(path, chunks, skipped)) {
    const head = format.head(record);
    if (!found) requireSample(path, format, record, head);
    if (head?.schema !== SCHEMA || Number.isNaN(head.time)) {
      skipped.records++;
      continue;
    }
    found = true;
    if (entry !== undefined && head.isRow && entry.head.run === head.run && entry.head.seq === head.seq) {
      entry.records.push(record);
      entry = { ...entry, length: offset + record.length - entry.offset };
      continue;
    }
    if (entry !== undefined) yield entry;
    entry = { time: head.time, offset, format, records: [record], length: record.length, head };
  }
  if (entry === undefined) throw new RecordingError(`${path}: there is no whole sample in it`);
  yield entry;
}

/** A record and where it begins. */
interface PlacedRecord {
  readonly format: Format;
  readonly record: Buffer;
  readonly offset: number;
}

async function* recordsOf(
  path: string,
  chunks: AsyncIterable<Buffer>,
  skipped: Skipped,
): AsyncGenerator<PlacedRecord> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  let format: Format | undefined;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    format ??= requireFormat(path, rest);
    let at = 0;
    for (let end = format.end(rest, at); end !== undefined; end = format.end(rest, at)) {
      yield { format, record: rest.subarray(at, end), offset: offset + at };
      at = end;
    }
    rest = rest.subarray(at);
    offset += at;
  }
  if (format === undefined) throw new RecordingError(`${path}: it is empty, expected samples of proxtop`);
  if (rest.length > 0) skipped.records++;
}

const expected = 'samples that proxtop wrote as json or msgpack';

function requireFormat(path: string, bytes: Buffer): Format {
  const format = formatOf(bytes[0] ?? 0);
  if (format !== undefined) return format;
  throw new RecordingError(`${path}: found ${shown(bytes)}, expected ${expected}`);
}

/** Refuses a file whose first record is whole and no sample of ours; a damaged one is only passed over. */
function requireSample(path: string, format: Format, record: Buffer, head: Head | undefined): void {
  if (head !== undefined && head.schema !== SCHEMA) {
    throw new RecordingError(
      `${path}: found schema ${head.schema}, expected ${SCHEMA}: another version of proxtop wrote it`,
    );
  }
  if (head === undefined && format.decode(record) !== undefined)
    throw new RecordingError(`${path}: found ${shown(record)}, expected ${expected}`);
}

function shown(bytes: Buffer): string {
  const [line = ''] = bytes.subarray(0, 60).toString().split('\n');
  return JSON.stringify(line);
}
