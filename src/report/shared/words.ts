import type { Zone } from './model.ts';

const MINUTE = 60_000;

/** A number with its unit as people read it, three digits; `-` where it is not known. */
export function quantity(value: number, unit: string): string {
  if (Number.isNaN(value)) return '-';
  if (unit === 'bytes') return bytes(value);
  return unit === '' ? digits(value) : `${digits(value)} ${unit}`;
}

function bytes(value: number): string {
  let scaled = value;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (scaled < 1024) return `${digits(scaled)} ${unit}`;
    scaled /= 1024;
  }
  return `${digits(scaled)} TiB`;
}

/** Three significant digits, never with an exponent. */
function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** A length of time in words, in one or two units. @param seconds not negative */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Minutes that the zone is ahead of UTC at a time. @param time ms since 1970 */
export function offsetAt({ offsets }: Zone, time: number): number {
  let minutes = offsets[0]?.[1] ?? 0;
  for (const [from, each] of offsets) if (from <= time) minutes = each;
  return minutes;
}

/** A date whose UTC fields are what the clock of the zone shows at a time. */
export function clockAt(zone: Zone, time: number): Date {
  return new Date(time + offsetAt(zone, time) * MINUTE);
}

/** `+01:00`. */
export function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** `02:30`, with seconds where they are not 0; with the offset where the zone has several in the span. */
export function timeText(zone: Zone, time: number): string {
  const clock = clockAt(zone, time).toISOString();
  const text = clock.slice(17, 19) === '00' ? clock.slice(11, 16) : clock.slice(11, 19);
  return zone.offsets.length > 1 ? `${text} ${offsetText(offsetAt(zone, time))}` : text;
}

/** `2026-11-28 02:30`, as {@link timeText}. */
export function momentText(zone: Zone, time: number): string {
  return `${clockAt(zone, time).toISOString().slice(0, 10)} ${timeText(zone, time)}`;
}
