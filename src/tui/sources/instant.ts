import { moment } from '../../base/strings/moment.ts';
import type { Desk } from './source.ts';

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
 * @param latest a time of day that is later than this is of the day before
 */
export function instant(text: string, from: number, latest = Infinity): number | undefined {
  const wanted = text.trim();
  if (relative.test(wanted)) return from + Number(wanted) * 1000;
  const [, day, time = '0:00'] = dayAndTime.exec(wanted) ?? [];
  if (day !== undefined) {
    const [year = NaN, month = NaN, date = NaN] = day.split('-').map(Number);
    const start = new Date(year, month - 1, date);
    return start.getDate() === date && start.getMonth() === month - 1 ? onDay(time, start) : undefined;
  }
  const ofDay = onDay(wanted, new Date(from));
  if (ofDay === undefined) return moment(wanted, { now: Date.now() });
  return ofDay <= latest ? ofDay : onDay(wanted, new Date(new Date(from).setHours(-12)));
}

/**
 * Asks for a time in the last line.
 *
 * @param from and `latest` as for {@link instant}
 * @param take is given the time, ms since 1970
 */
export function askTime(
  desk: Pick<Desk, 'ask'>,
  from: number,
  take: (time: number) => void,
  latest?: number,
): void {
  const answered = (text: string): string | undefined => {
    const wanted = instant(text, from, latest);
    if (wanted === undefined) return `${text}: no time; for example 14:30, 14:30:05, 2026-11-22 14:30, -90`;
    take(wanted);
    return undefined;
  };
  desk.ask({ label: 'jump to (14:30:05, 2026-11-22 14:30, +90, -90)', text: '', answered });
}

function onDay(text: string, day: Date): number | undefined {
  const [, hours = '', minutes = '', seconds = '0'] = timeOfDay.exec(text) ?? [];
  if (hours === '' || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const time = new Date(day);
  return time.setHours(Number(hours), Number(minutes), Number(seconds), 0);
}
