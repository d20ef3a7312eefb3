import { ascii, badLine, findLine, requireWholeLines } from '../base/content.ts';
import { Counters } from '../base/counters.ts';
import type { Cursor } from '../base/cursor.ts';

/** Microseconds that some, or all, tasks were stalled. */
export const pressureCounters = { someTotal: 0, fullTotal: 1 } as const;

/**
 * What a pressure file tells: the share of time, in percent, with some or all tasks stalled, as the kernel averages it
 * over 10, 60 and 300 seconds. NaN for a line that is missing.
 */
export class Pressure {
  someAvg10 = NaN;
  someAvg60 = NaN;
  someAvg300 = NaN;
  fullAvg10 = NaN;
  fullAvg60 = NaN;
  fullAvg300 = NaN;
  /** See {@link pressureCounters}. */
  readonly counters = new Counters(Object.keys(pressureCounters).length);
}

const EXPECTED = 'a line like "some avg10=0.22 avg60=0.17 avg300=1.11 total=58761459"';
const SOME = ascii('some');
const FULL = ascii('full');
const AVG10 = ascii('avg10=');
const AVG60 = ascii('avg60=');
const AVG300 = ascii('avg300=');
const TOTAL = ascii('total=');

/**
 * Parses /proc/pressure/{cpu,io,memory} or {cpu,io,memory}.pressure of a cgroup (Documentation/accounting/psi.rst),
 * such as
 *
 *     some avg10=0.22 avg60=0.17 avg300=1.11 total=58761459
 *     full avg10=0.00 avg60=0.13 avg300=0.96 total=57015632
 *
 * @throws KernelFormatError
 */
export function parsePressure(cursor: Cursor, into: Pressure, path: string): void {
  requireWholeLines(cursor, path, EXPECTED);
  const { counters } = into;
  counters.clear();

  const some = findLine(cursor, SOME);
  into.someAvg10 = after(AVG10, cursor);
  into.someAvg60 = after(AVG60, cursor);
  into.someAvg300 = after(AVG300, cursor);
  if (comesNext(TOTAL, cursor)) counters.read(pressureCounters.someTotal, cursor);

  cursor.pos = 0;
  const full = findLine(cursor, FULL);
  into.fullAvg10 = after(AVG10, cursor);
  into.fullAvg60 = after(AVG60, cursor);
  into.fullAvg300 = after(AVG300, cursor);
  if (comesNext(TOTAL, cursor)) counters.read(pressureCounters.fullTotal, cursor);

  if (!some && !full) throw badLine(cursor, path, EXPECTED, 0);
}

function comesNext(key: Uint8Array, cursor: Cursor): boolean {
  cursor.skipBlanks();
  return cursor.take(key);
}

/** The number behind `key`; NaN where the key does not come next. */
function after(key: Uint8Array, cursor: Cursor): number {
  return comesNext(key, cursor) ? cursor.decimal() : NaN;
}
