const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const units: ReadonlyMap<string, number> = new Map(
  Object.entries({
    s: SECOND,
    sec: SECOND,
    second: SECOND,
    m: MINUTE,
    min: MINUTE,
    minute: MINUTE,
    h: HOUR,
    hr: HOUR,
    hour: HOUR,
    d: DAY,
    day: DAY,
    w: 7 * DAY,
    week: 7 * DAY,
  }),
);
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** A time of day: 14:30, 14:30:05, 14:30:05.250. */
const timeOfDay = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/;
/** A day and perhaps a time and a zone; also without separators, as in the names of files. */
const calendar =
  /^(\d{4})-?(\d{2})-?(\d{2})(?:(?:T|\s+|\s*,\s*)?(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/i;
const lengths = /^([+-])?((?:\d+(?:\.\d+)?\s*[a-z]+\s*(?:,|and)?\s*)+?)(ago)?$/i;

/** What is understood, to stand after "expected". */
export const momentExamples =
  'a time such as 03:00, "yesterday 22:15", 2026-11-28T03:00, 2026-11-28T02:00Z, 1h (an hour ago) or @1795834800';

/** Where a time is counted from that says no day by itself. */
interface Reference {
  /** ms since 1970; times of day are the last ones before it, and days and lengths count back from it. */
  readonly now: number;
  /** Where the time is the end of a span: its begin. Times of day are the first ones after it, and +10m counts from it. */
  readonly begin?: number;
}

/**
 * The time that somebody means, ms since 1970, in the time zone of this machine where it names none; undefined where it is
 * none. What the clock shows twice when summer time ends is the first of both; an offset or @seconds says which.
 */
export function moment(text: string, reference: Reference): number | undefined {
  const wanted = text.trim().replace(/\s+/g, ' ');
  if (/^now$/i.test(wanted)) return reference.now;
  return epoch(wanted) ?? fromCalendar(wanted) ?? fromDay(wanted, reference) ?? fromLength(wanted, reference);
}

/** @seconds, and 10 digits of seconds or 13 of milliseconds. */
function epoch(text: string): number | undefined {
  const [, seconds] = /^@(\d{1,11}(?:\.\d+)?)$/.exec(text) ?? [];
  if (seconds !== undefined) return Number(seconds) * SECOND;
  if (/^\d{10}$/.test(text)) return Number(text) * SECOND;
  return /^@?\d{13}$/.test(text) ? Number(text.replace('@', '')) : undefined;
}

function fromCalendar(text: string): number | undefined {
  const found = calendar.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((digits: string | undefined) => Number(digits ?? 0));
  const zone = found[8];
  const millis = fraction(found[7]);
  // Of no other month or day, such as 31 April.
  const there = new Date(Date.UTC(year, month - 1, day));
  if (there.getUTCMonth() !== month - 1 || there.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second, millis).getTime();
  const offset = offsetOf(zone);
  return offset === undefined
    ? undefined
    : Date.UTC(year, month - 1, day, hour, minute, second, millis) - offset;
}

/** ms that a zone is ahead of UTC. */
function offsetOf(zone: string): number | undefined {
  const [, sign, hours = '', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  if (sign === undefined) return 0;
  if (Number(hours) > 14 || Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE);
}

function fraction(digits: string | undefined): number {
  return digits === undefined ? 0 : Math.floor(Number(`0.${digits}`) * 1000);
}

/** A time of day, with or without today, yesterday or a day of the week before it. */
function fromDay(text: string, { now, begin }: Reference): number | undefined {
  const [, word, time] = /^([a-z]+)?\s*(?:at )?(\d[\d:.,]*)?$/i.exec(text) ?? [];
  if (word === undefined && time === undefined) return undefined;
  if (word !== undefined) {
    const back = daysBack(word.toLowerCase(), new Date(now).getDay());
    return back === undefined ? undefined : onDay(time ?? '0:00', now, -back);
  }
  const near = onDay(time ?? '', begin ?? now, 0);
  if (near === undefined) return undefined;
  if (begin !== undefined) return near > begin ? near : onDay(time ?? '', begin, 1);
  return near <= now ? near : onDay(time ?? '', now, -1);
}

function daysBack(word: string, today: number): number | undefined {
  if (word === 'today') return 0;
  if (word === 'yesterday') return 1;
  const day = weekdays.findIndex((name) => word === name || word === fullName(name));
  return day < 0 ? undefined : (today - day + 7) % 7;
}

function fullName(short: string): string {
  const rest: Readonly<Record<string, string>> = { tue: 'sday', wed: 'nesday', thu: 'rsday', sat: 'urday' };
  return `${short}${rest[short] ?? 'day'}`;
}

/** A time of day on the day of another time, or so many days after it. */
function onDay(text: string, near: number, days: number): number | undefined {
  const found = timeOfDay.exec(text);
  if (found === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = found
    .slice(1, 4)
    .map((digits: string | undefined) => Number(digits ?? 0));
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const day = new Date(near);
  return new Date(
    day.getFullYear(),
    day.getMonth(),
    day.getDate() + days,
    hours,
    minutes,
    seconds,
    fraction(found[4]),
  ).getTime();
}

/** 1h, -1h, 1h30m, "2 days 3 hr ago"; +10m from the begin of a span. */
function fromLength(text: string, { now, begin }: Reference): number | undefined {
  const [, sign, parts = '', ago] = lengths.exec(text) ?? [];
  if (parts === '') return undefined;
  let total = 0;
  for (const [, count, unit = ''] of parts.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    const name = unit.toLowerCase().replace(/^and$/, '');
    const size = units.get(name) ?? units.get(name.replace(/s$/, ''));
    if (size === undefined) return undefined;
    total += Number(count) * size;
  }
  if (sign === '+') return begin === undefined || ago !== undefined ? undefined : begin + total;
  return now - total;
}

/** A time as a clock on the wall of this machine shows it, to the second: 2026-11-28 03:00:00. */
export function localTime(time: number): string {
  const date = new Date(time);
  const two = (number: number) => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
