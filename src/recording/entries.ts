import { RecordingError } from './errors.ts';
import { formatThatBegins, understoodSchema } from './format.ts';
import type { Ends, Format, Head } from './format.ts';

/** Bytes of a sample at most, in one record or in rows: two hundred times one of 200 VMs with all there is. */
const LARGEST_SAMPLE = 64 << 20;

/** The records of one sample, where they stand in the file. */
export interface SampleEntry {
  /** When it was taken, ms since 1970. */
  readonly time: number;
  /** The start of the program that took it. */
  readonly run: string;
  /** Bytes of the file, uncompressed, before it. */
  readonly offset: number;
  readonly format: Format;
  /** One for the whole sample, or one for each of its rows. */
  readonly records: readonly Buffer[];
  /** Bytes from the beginning of the first record to the end of the last. */
  readonly length: number;
}

/** What was skipped. */
export interface Skipped {
  /** Records that are torn, damaged or of another schema. */
  records: number;
}

/**
 * Finds the samples in the bytes of a file: JSON lines or MessagePack, one record a sample or one a row. Keeps no more than
 * one sample in memory. Unreadable records are skipped and counted: a file may end in the middle of one, and continue after
 * it when the program was restarted.
 *
 * @throws RecordingError for a file that holds something else, or nothing
 */
export async function* entriesOf(
  path: string,
  chunks: AsyncIterable<Buffer>,
  skipped: Skipped,
): AsyncGenerator<SampleEntry> {
  let entry: (SampleEntry & { records: Buffer[]; head: Head }) | undefined;
  let found = false;
  for await (const { format, record, offset } of recordsOf(path, chunks, skipped)) {
    const head = format.head(record);
    if (!found) requireSample(path, format, record, head);
    if (head?.schema !== understoodSchema) {
      skipped.records++;
      continue;
    }
    found = true;
    if (entry !== undefined && head.isRow && entry.head.run === head.run && entry.head.seq === head.seq) {
      entry.records.push(record);
      entry = { ...entry, length: offset + record.length - entry.offset };
      requireSize(path, entry.offset, entry.length);
      continue;
    }
    if (entry !== undefined) yield entry;
    entry = {
      time: head.time,
      run: head.run,
      offset,
      format,
      records: [record],
      length: record.length,
      head,
    };
    if (head.isRow) continue;
    // It is whole, and the next one may come only in a minute.
    yield entry;
    entry = undefined;
  }
  if (entry !== undefined) yield entry;
  if (!found) throw new RecordingError(`${path}: it contains no complete sample`);
}

/** A record and where it begins. */
interface PlacedRecord {
  readonly format: Format;
  readonly record: Buffer;
  readonly offset: number;
}

/** Splits the bytes; each is scanned and copied once, although records may come in many pieces. */
async function* recordsOf(
  path: string,
  chunks: AsyncIterable<Buffer>,
  skipped: Skipped,
): AsyncGenerator<PlacedRecord> {
  let format: Format | undefined;
  let ends: Ends | undefined;
  /** The pieces of the record that was begun, and their length. */
  let pieces: Buffer[] = [];
  let begun = 0;
  let offset = 0;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    format ??= requireFormat(path, chunk);
    ends ??= format.ends();
    let at = 0;
    for (let end = ends.next(chunk, at); end !== undefined; end = ends.next(chunk, at)) {
      const last = chunk.subarray(at, end);
      const record = begun === 0 ? last : Buffer.concat([...pieces, last], begun + last.length);
      requireSize(path, offset, record.length);
      // An empty line needs no closer look.
      if (record.length === 1 && record[0] === NEWLINE) skipped.records++;
      else yield { format, record, offset };
      offset += record.length;
      pieces = [];
      begun = 0;
      at = end;
    }
    if (at === chunk.length) continue;
    pieces.push(chunk.subarray(at));
    begun += chunk.length - at;
    requireSize(path, offset, begun);
  }
  if (format === undefined) throw new RecordingError(`${path}: it is empty, expected samples of proxtop`);
  if (begun > 0) skipped.records++;
}

/** Refuses a sample that is larger than any of ours can be. @param offset where it begins */
function requireSize(path: string, offset: number, size: number): void {
  if (size <= LARGEST_SAMPLE) return;
  throw new RecordingError(
    `${path}: the record at byte ${offset} is larger than ${LARGEST_SAMPLE >> 20} MiB, which is no sample of proxtop`,
  );
}

const NEWLINE = 0x0a;
const expected = 'samples that proxtop wrote as json or msgpack';

function requireFormat(path: string, bytes: Buffer): Format {
  const format = formatThatBegins(bytes[0] ?? 0);
  if (format !== undefined) return format;
  throw new RecordingError(`${path}: found ${shown(bytes)}, expected ${expected}`);
}

/** Refuses a file whose first record is whole and no sample of ours; a damaged one is only passed over. */
function requireSample(path: string, format: Format, record: Buffer, head: Head | undefined): void {
  if (head !== undefined && head.schema !== understoodSchema) {
    throw new RecordingError(
      `${path}: found schema ${head.schema}, expected ${understoodSchema}: another version of proxtop wrote it`,
    );
  }
  if (head === undefined && format.decode(record) !== undefined)
    throw new RecordingError(`${path}: found ${shown(record)}, expected ${expected}`);
}

function shown(bytes: Buffer): string {
  const [line = ''] = bytes.subarray(0, 60).toString().split('\n');
  return JSON.stringify(line);
}
