import { ascii, badLine, requireWholeLines } from '../base/content.ts';
import { Counters } from '../base/counters.ts';
import type { Cursor } from '../base/cursor.ts';
import { NamedRow, NamedRows } from '../base/named-rows.ts';

/** Bytes, packets and events since the device was created, from the host's point of view. */
export const netDevCounters = {
  rxBytes: 0,
  rxPackets: 1,
  rxErrors: 2,
  rxDropped: 3,
  rxFifo: 4,
  rxFrame: 5,
  rxCompressed: 6,
  rxMulticast: 7,
  txBytes: 8,
  txPackets: 9,
  txErrors: 10,
  txDropped: 11,
  txFifo: 12,
  txCollisions: 13,
  txCarrier: 14,
  txCompressed: 15,
} as const;
const COLUMNS = Object.keys(netDevCounters).length;

/** A network device of the host. */
export class NetDevice extends NamedRow {
  /** See {@link netDevCounters}. */
  readonly counters = new Counters(COLUMNS);
}

/** All network devices of a network namespace. */
export class NetDev extends NamedRows<NetDevice> {
  constructor() {
    super((bytes) => new NetDevice(bytes));
  }

  /** In the order of the kernel. */
  get devices(): readonly NetDevice[] {
    return this.rows;
  }
}

const COLON = 0x3a;
const HEADER = ascii('Inter-|');
const EXPECTED = 'two lines of heading, the first starting with "Inter-|"';

/**
 * Parses /proc/net/dev or /proc/<pid>/net/dev (Documentation/filesystems/proc.rst), such as
 *
 *     Inter-|   Receive                                                |  Transmit
 *      face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop ...
 *       eth0: 614530    7085    0    0    0     0          0         0   1703981    5535    0    0    0     0 0 0
 *
 * The first number may stand right behind the colon, as old kernels wrote it.
 * @throws KernelFormatError
 */
export function parseNetDev(cursor: Cursor, into: NetDev, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  if (!cursor.take(HEADER)) throw badLine(cursor, path, EXPECTED, 0);
  cursor.skipLine();
  if (cursor.atEnd) throw badLine(cursor, path, EXPECTED, 0);

  into.begin();
  cursor.skipLine();
  while (!cursor.atEnd) {
    cursor.skipBlanks();
    const counters = into.row(cursor, COLON)?.counters;
    if (counters !== undefined) for (let i = 0; i < COLUMNS; i++) counters.read(i, cursor);
    cursor.skipLine();
  }
  into.end();
}
