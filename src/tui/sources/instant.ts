import { moment } from '../../strings/moment.ts';

/** Seconds from here: +90, -1.5. */
const relative = /^[+-]\d+(\.\d+)?$/;
/** A time of day: 14:30, 14:30:05. */
const timeOfDay = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/;
/** A day, perhaps with a time: 2026-11-22, 2026-11-22 14:30:05. */
const dayAndTime = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{1,2}:\d{2}(?::\d{2})?))?$/;

/**
 * The time that a user means, ms since 1970, in the time zone of this machine; undefined where it is none.
 *
 * @param from a time on the day that a time of day is of, and what seconds are counted from
 */
export function instant(text: string, from: number): number | undefined {
  const wanted = text.trim();
  if (relative.test(wanted)) return from + Number(wanted) * 1000;
  const [, day, time = '0:00'] = dayAndTime.exec(wanted) ?? [];
  if (day !== undefined) {
    const [year = NaN, month = NaN, date = NaN] = day.split('-').map(Number);
    const start = new Date(year, month - 1, date);
    return start.getDate() === date && start.getMonth() === month - 1 ? onDay(time, start) : undefined;
  }
  return onDay(wanted, new Date(from)) ?? moment(wanted, { now: Date.now() });
}

function onDay(text: string, day: Date): number | undefined {
  const [, hours = '', minutes = '', seconds = '0'] = timeOfDay.exec(text) ?? [];
  if (hours === '' || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const time = new Date(day);
  return time.setHours(Number(hours), Number(minutes), Number(seconds), 0);
}
