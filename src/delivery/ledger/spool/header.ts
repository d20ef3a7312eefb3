import { crc32 } from 'node:zlib';

/**
 * The header of a segment:
 *
 *     "PXSPOOL", version (1 byte), length of the text (4 bytes), text, CRC-32 of all before (4 bytes)
 *
 * Integers are big-endian, the text is a JSON object with the members of {@link SpoolIdentity}. Version 1, that of
 * proxtop 0.1.0, has no text: "PXSPOOL", version, CRC-32 of these 8 bytes.
 */
export const spoolVersion = 2;
const name = 'PXSPOOL';
const fixedBytes = 12;
/** Bytes of the longest header. A longer one is damaged. */
export const longestHeader = 4096;

/** Whose records a segment holds. */
export interface SpoolIdentity {
  /** NAME of [output.NAME]. */
  readonly output: string;
  /** What decides whether records can follow each other in one stream (see formatOf). */
  readonly format: string;
  /** Version of what the records say. */
  readonly schema: number;
}

/** What a header says; `identity` is missing for versions other than the present one. */
export interface SegmentHeader {
  readonly version: number;
  readonly bytes: number;
  readonly identity?: SpoolIdentity;
}

export function encodeHeader({ output, format, schema }: SpoolIdentity): Buffer {
  const text = Buffer.from(JSON.stringify({ output, format, schema }));
  const header = Buffer.alloc(fixedBytes + text.length + 4);
  header.write(name, 'latin1');
  header[name.length] = spoolVersion;
  header.writeUInt32BE(text.length, 8);
  text.copy(header, fixedBytes);
  header.writeUInt32BE(crc32(header.subarray(0, -4)), header.length - 4);
  return header;
}

/** Reads the header at the beginning of a segment; undefined where it is damaged or missing. */
export function readHeader(segment: Buffer): SegmentHeader | undefined {
  if (segment.length < fixedBytes || segment.toString('latin1', 0, name.length) !== name) return undefined;
  const found = segment[name.length] ?? 0;
  if (found < spoolVersion) {
    const sound = segment.readUInt32BE(8) === crc32(segment.subarray(0, 8));
    return sound ? { version: found, bytes: fixedBytes } : undefined;
  }
  const end = fixedBytes + segment.readUInt32BE(8);
  if (end + 4 > Math.min(segment.length, longestHeader)) return undefined;
  if (segment.readUInt32BE(end) !== crc32(segment.subarray(0, end))) return undefined;
  const header = { version: found, bytes: end + 4 };
  return found > spoolVersion ? header : withIdentity(header, segment.toString('utf8', fixedBytes, end));
}

function withIdentity(header: SegmentHeader, text: string): SegmentHeader | undefined {
  try {
    const { output, format, schema } = JSON.parse(text) as Partial<SpoolIdentity>;
    if (typeof output !== 'string' || typeof format !== 'string' || typeof schema !== 'number')
      return undefined;
    return { ...header, identity: { output, format, schema } };
  } catch {
    return undefined;
  }
}
