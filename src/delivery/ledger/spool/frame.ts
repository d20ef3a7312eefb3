import { crc32 } from 'node:zlib';
// These two, unlike the package itself, never look for its native addon.
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';

/**
 * Behind its header (see header.ts) a segment is a sequence of frames, one for each record:
 *
 *     marker C1 50 58 54, length of the payload (4 bytes), number of the record (6),
 *     CRC-32 of length, number and payload (4), payload
 *
 * Integers are big-endian. The payload is a MessagePack map: `time` (ms since 1970), `bytes` (the record), `sent` (true for
 * one that was handed to a peer before). C1 occurs neither in MessagePack's own bytes nor in UTF-8: after a damaged frame
 * reading continues at the next marker with a matching checksum. Numbers count the records of a spool without gaps, so that
 * what is missing can be counted.
 */
const frameBytes = 18;
const marker = Buffer.from([0xc1, 0x50, 0x58, 0x54]);

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

/** One record as it stands on disk. */
export interface SpooledRecord {
  /** Its number in the spool. */
  readonly number: number;
  /** When it was taken, ms since 1970. */
  readonly time: number;
  readonly bytes: Buffer;
  /** Whether it was handed to a peer before. */
  readonly sent: boolean;
}

/** The frame of a record: two pieces to be written one behind the other. */
export function frame({ number, time, bytes, sent }: SpooledRecord): readonly [Buffer, Buffer] {
  const payload = packr.pack(sent ? { time, bytes, sent } : { time, bytes });
  const head = Buffer.alloc(frameBytes);
  marker.copy(head);
  head.writeUInt32BE(payload.length, 4);
  head.writeUIntBE(number, 8, 6);
  head.writeUInt32BE(checksum(head, payload), 14);
  return [head, payload];
}

function checksum(head: Buffer, payload: Buffer): number {
  return crc32(payload, crc32(head.subarray(4, 14)));
}

/** What a segment holds. */
export interface SegmentContent {
  /** In order; they share the memory of the segment. */
  readonly records: SpooledRecord[];
  /** Whether something other than a record follows the last one. */
  readonly torn: boolean;
}

/**
 * Reads the records with numbers from `first` to below `end`; what is damaged is passed over.
 *
 * @param from where the frames begin
 */
export function readFrames(segment: Buffer, from: number, first: number, end: number): SegmentContent {
  const records: SpooledRecord[] = [];
  // Otherwise wrong lengths would make it sum up the same bytes again and again.
  const patience = { bytes: 2 * segment.length };
  let next = first;
  let sound = from;
  for (let at = from; at < segment.length;) {
    const found = readFrame(segment, at, next, end, patience);
    if (found === undefined) {
      const marked = segment.indexOf(marker, at + 1);
      at = marked < 0 || patience.bytes < 0 ? segment.length : marked;
      continue;
    }
    records.push(found.record);
    next = found.record.number + 1;
    sound = at = found.end;
  }
  return { records, torn: segment.length > sound };
}

/** The frame that begins at an offset; undefined when there is no whole and sound one with a number in these bounds. */
function readFrame(
  segment: Buffer,
  at: number,
  first: number,
  endNumber: number,
  patience: { bytes: number },
): { readonly record: SpooledRecord; readonly end: number } | undefined {
  if (at + frameBytes > segment.length || marker.compare(segment, at, at + 4) !== 0) return undefined;
  const head = segment.subarray(at, at + frameBytes);
  const end = at + frameBytes + head.readUInt32BE(4);
  const number = head.readUIntBE(8, 6);
  if (end > segment.length || number < first || number >= endNumber) return undefined;
  const payload = segment.subarray(at + frameBytes, end);
  if (head.readUInt32BE(14) !== checksum(head, payload)) {
    patience.bytes -= payload.length;
    return undefined;
  }
  const content = contentOf(payload);
  return content && { record: { number, ...content }, end };
}

function contentOf(payload: Buffer): Omit<SpooledRecord, 'number'> | undefined {
  try {
    const { time, bytes, sent } = unpackr.unpack(payload) as Partial<SpooledRecord>;
    if (typeof time !== 'number' || !Buffer.isBuffer(bytes)) return undefined;
    return { time, bytes, sent: sent === true };
  } catch {
    // The checksum is right, so somebody forged it. It counts as damaged.
    return undefined;
  }
}
