import { crc32 } from 'node:zlib';
// These two, unlike the package itself, never look for its native addon.
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';

/**
 * The format of a segment, a file of records:
 *
 *     header   "PXSPOOL", version (1 byte), CRC-32 of these 8 bytes (4 bytes)
 *     frame    marker C1 50 58 54, length of the payload (4), ordinal of the record (6),
 *              CRC-32 of length, ordinal and payload (4), payload
 *     ...
 *
 * Integers are big-endian. The payload is a MessagePack map: `time` (ms since 1970), `bytes` (the record), `sent`
 * (true for one that was handed to a peer before). C1 occurs neither in MessagePack's own bytes nor in UTF-8: behind
 * a damaged frame the next marker with a matching checksum is where reading goes on. Ordinals count the records of a
 * spool without gaps, so that what is missing can be counted.
 */
export const version = 1;
export const headerBytes = 12;
const frameBytes = 18;
const name = 'PXSPOOL';
const marker = Buffer.from([0xc1, 0x50, 0x58, 0x54]);

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

/** One record as it stands on disk. */
export interface SpooledRecord {
  readonly ordinal: number;
  readonly time: number;
  readonly bytes: Buffer;
  readonly sent: boolean;
}

interface Payload extends Pick<SpooledRecord, 'time' | 'bytes'> {
  readonly sent?: boolean;
}

export function segmentHeader(): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.write(name, 'latin1');
  header[name.length] = version;
  header.writeUInt32BE(crc32(header.subarray(0, 8)), 8);
  return header;
}

/** The version of a segment; undefined where its header is damaged or missing. */
export function segmentVersion(segment: Buffer): number | undefined {
  if (segment.length < headerBytes || segment.toString('latin1', 0, name.length) !== name) return undefined;
  return segment.readUInt32BE(8) === crc32(segment.subarray(0, 8)) ? segment[name.length] : undefined;
}

/** The frame of a record: two pieces to be written one behind the other. */
export function frame({ ordinal, time, bytes, sent }: SpooledRecord): readonly [Buffer, Buffer] {
  const payload = packr.pack(sent ? { time, bytes, sent } : { time, bytes });
  const head = Buffer.alloc(frameBytes);
  marker.copy(head);
  head.writeUInt32BE(payload.length, 4);
  head.writeUIntBE(ordinal, 8, 6);
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
  /** Whether something that is no record stands behind the last one. */
  readonly torn: boolean;
}

/** Reads the records with ordinals from `first` to below `end`; what is damaged is passed over. */
export function readFrames(segment: Buffer, first: number, end: number): SegmentContent {
  const records: SpooledRecord[] = [];
  let next = first;
  let sound = headerBytes;
  let at = headerBytes;
  while (at < segment.length) {
    const found = readFrame(segment, at);
    if (found === undefined) {
      const marked = segment.indexOf(marker, at + 1);
      at = marked < 0 ? segment.length : marked;
      continue;
    }
    at = found.end;
    const { record } = found;
    if (record.ordinal < next || record.ordinal >= end) continue;
    records.push(record);
    next = record.ordinal + 1;
    sound = at;
  }
  return { records, torn: segment.length > sound };
}

/** The frame that begins at an offset; undefined when there is no whole and sound one. */
function readFrame(
  segment: Buffer,
  at: number,
): { readonly record: SpooledRecord; readonly end: number } | undefined {
  if (at + frameBytes > segment.length || marker.compare(segment, at, at + 4) !== 0) return undefined;
  const head = segment.subarray(at, at + frameBytes);
  const end = at + frameBytes + head.readUInt32BE(4);
  if (end > segment.length) return undefined;
  const payload = segment.subarray(at + frameBytes, end);
  if (head.readUInt32BE(14) !== checksum(head, payload)) return undefined;
  const { time, bytes, sent } = unpackr.unpack(payload) as Payload;
  return { record: { ordinal: head.readUIntBE(8, 6), time, bytes, sent: sent === true }, end };
}
