import { Unpackr } from 'msgpackr/unpack';
import { endOfValue } from '../delivery/file/msgpack-end.ts';
import { isObject, parseJson } from '../base/untyped/values.ts';
import type { Fields } from '../base/untyped/values.ts';
import { MsgpackEnds } from './input/msgpack-ends.ts';

export type { Fields };

/** The schema of samples that is understood. */
export const understoodSchema = 1;

/** What is at the beginning of an object: to which sample it belongs. */
export interface Head {
  /** ms since 1970. */
  readonly time: number;
  readonly schema: number;
  readonly run: string;
  readonly seq: number;
  /** Whether the object is one row of the sample, and not all of it. */
  readonly isRow: boolean;
}

/** Finds where records end in bytes that come in pieces. */
export interface Ends {
  /** Where the present record ends in a piece, looked at from `from` on; undefined where it goes on in the next piece. */
  next(piece: Buffer, from: number): number | undefined;
}

/** A format that samples can be read back from. */
export interface Format {
  /** Makes what finds the ends of records. */
  readonly ends: () => Ends;
  /** The object of a record; undefined for one that is damaged, or no object. */
  readonly decode: (record: Buffer) => Fields | undefined;
  /** The head of a record; undefined for one that is damaged or has none. */
  readonly head: (record: Buffer) => Head | undefined;
}

const LINE_END = 0x0a;
/** Bytes that the head of a JSON record takes, and more. */
const HEAD_BYTES = 512;
/** Entries of a map, within which the head stands. */
const HEAD_ENTRIES = 8;
const jsonHead = /^\{("type":"\w+",)?"@timestamp":"([^"]+)","schema":(\d+),"run":"([^"\\]*)","seq":(\d+)[,}]/;

const lineEnds: Ends = {
  next(piece, from) {
    const at = piece.indexOf(LINE_END, from);
    return at < 0 ? undefined : at + 1;
  },
};

const json: Format = {
  ends: () => lineEnds,
  decode: (record) => asFields(parseJson(record.toString())),
  /** Does without parsing the record, which costs a hundred times as much. */
  head(record) {
    const found = jsonHead.exec(record.toString('latin1', 0, HEAD_BYTES));
    if (found === null) return headOf(json.decode(record));
    const [, type, time = '', schema, run = '', seq] = found;
    return checked({
      time: timeOf(time),
      schema: Number(schema),
      run,
      seq: Number(seq),
      isRow: type !== undefined,
    });
  },
};

const unpackr = new Unpackr({ useRecords: false });

const msgpack: Format = {
  ends: () => new MsgpackEnds(),
  decode(record) {
    try {
      return asFields(unpackr.unpack(record));
    } catch {
      return undefined;
    }
  },
  /** Reads entries of the map until it has the head, which stands before all else. */
  head(record) {
    const first: Record<string, unknown> = {};
    let at = record[0] === 0xde ? 3 : record[0] === 0xdf ? 5 : 1;
    try {
      for (let entry = 0; entry < HEAD_ENTRIES && at < record.length; entry++) {
        const value = endOfValue(record, at) ?? record.length;
        const end = endOfValue(record, value) ?? record.length;
        first[String(unpackr.unpack(record.subarray(at, value)))] = unpackr.unpack(
          record.subarray(value, end),
        );
        const head = headOf(first);
        if (head !== undefined) return head;
        at = end;
      }
    } catch {
      // Damaged, as one without a head.
    }
    return undefined;
  },
};

/** The format of a file by its first byte: an object of JSON, or a map of MessagePack. */
export function formatThatBegins(first: number): Format | undefined {
  if (first === 0x7b) return json;
  return (first >= 0x80 && first < 0x90) || first === 0xde || first === 0xdf ? msgpack : undefined;
}

function headOf(fields: Fields | undefined): Head | undefined {
  const { '@timestamp': timestamp, schema, run, seq, type } = fields ?? {};
  if (typeof timestamp !== 'string' || typeof schema !== 'number') return undefined;
  if (typeof run !== 'string' || typeof seq !== 'number') return undefined;
  return checked({ time: timeOf(timestamp), schema, run, seq, isRow: type !== undefined });
}

/** No clock shows a later time, ms since 1970: the year 2200. A time near the end of what a Date holds cannot be printed in every zone. */
const LATEST = Date.UTC(2200, 0);

/** The time of a record, ms since 1970; NaN where it is none, or one that no clock shows. */
export function timeOf(timestamp: unknown): number {
  const time = Date.parse(String(timestamp));
  return time >= 0 && time < LATEST ? time : NaN;
}

/** The seconds that a record is about; NaN where they are not known, or reach back beyond 1970. @param time ms since 1970 */
export function intervalOf(interval: unknown, time: number): number {
  return typeof interval === 'number' && interval > 0 && interval * 1000 <= time ? interval : NaN;
}

/** A head whose time and number can be, for they are printed again. */
function checked(head: Head): Head | undefined {
  return Number.isFinite(head.time) && Number.isSafeInteger(head.seq) ? head : undefined;
}

/** A value as an object as it was printed, a sample or one row of it; undefined for anything else. */
export function asFields(value: unknown): Fields | undefined {
  return isObject(value) ? value : undefined;
}
