import { ascii, badLine } from '../../base/content.ts';
import { Counters } from '../../base/counters.ts';
import type { Cursor } from '../../base/cursor.ts';
import { NamedRow, NamedRows } from '../../base/named-rows.ts';

/** Bytes and operations. */
export const cgroupIoStatCounters = { readBytes: 0, writeBytes: 1, reads: 2, writes: 3 } as const;

const KEYS = ['rbytes', 'wbytes', 'rios', 'wios'].map((name) => ascii(`${name}=`));
const EXPECTED = 'lines like "254:0 rbytes=1785856 wbytes=1310720 rios=25 wios=1 dbytes=0 dios=0"';
const NEWLINE = 0x0a;
const SPACE = 0x20;
const [ZERO, NINE] = [0x30, 0x39] as const;
/** `254:0` */
const NUMBERS = /^\d+:\d+$/;

/** What a cgroup and those below it moved to and from one block device; its name are the device's numbers, such as 254:0. */
export class IoDevice extends NamedRow {
  /** See {@link cgroupIoStatCounters}. */
  readonly counters = new Counters(KEYS.length);
}

/** What io.stat of a cgroup tells. */
export class CgroupIoStat {
  private readonly table = new NamedRows((name) => new IoDevice(name));
  /** Devices with counts; a device that stays keeps its object. */
  readonly devices: IoDevice[] = [];

  begin(): void {
    this.table.begin();
    this.devices.length = 0;
  }

  /** The device whose numbers stand at the cursor; moves behind them. */
  device(cursor: Cursor): IoDevice | undefined {
    return this.table.row(cursor, SPACE);
  }

  end(): void {
    this.table.end();
  }
}

/**
 * Parses io.stat of a cgroup v2 (Documentation/admin-guide/cgroup-v2.rst), which is empty as long as there was no I/O. Some
 * kernels write the numbers of a device without counts, with or without a newline after them: it is left out, and so is
 * anything after the last newline.
 * @throws KernelFormatError
 */
export function parseCgroupIoStat(cursor: Cursor, into: CgroupIoStat, path: string): void {
  into.begin();
  while (cursor.end > 0 && cursor.bytes[cursor.end - 1] !== NEWLINE) cursor.end--;
  while (!cursor.atEnd) {
    const start = cursor.pos;
    let device = into.device(cursor);
    // The numbers of a device without counts stand before those of the next one.
    while (device !== undefined && startsNumber(cursor)) device = into.device(cursor);
    if (device === undefined) {
      cursor.skipLine();
      continue;
    }
    if (!NUMBERS.test(device.name)) throw badLine(cursor, path, EXPECTED, start);
    if (readCounts(cursor, device.counters)) into.devices.push(device);
    cursor.skipLine();
  }
  into.end();
}

function startsNumber({ bytes, pos, end }: Cursor): boolean {
  const byte = bytes[pos] as number;
  return pos < end && byte >= ZERO && byte <= NINE;
}

/** Reads pairs up to the end of the line; false where none is known. Other keys than those of {@link KEYS} are skipped. */
function readCounts(cursor: Cursor, counters: Counters): boolean {
  counters.clear();
  let found = 0;
  for (;;) {
    cursor.skipBlanks();
    const index = KEYS.findIndex((key) => cursor.take(key));
    if (index >= 0) {
      counters.read(index, cursor);
      found++;
    } else if (!cursor.skipWord()) {
      return found > 0;
    }
  }
}
