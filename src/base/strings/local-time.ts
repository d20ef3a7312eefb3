/** A time as the clock of this machine shows it, to the second, with its offset: `2026-11-28T03:00:02+01:00`. @param time ms since 1970 */
export function localTime(time: number): string {
  const minutes = -new Date(time).getTimezoneOffset();
  const size = Math.abs(minutes);
  const two = (number: number): string => String(number).padStart(2, '0');
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${new Date(time + minutes * 60_000).toISOString().slice(0, 19)}${minutes === 0 ? 'Z' : offset}`;
}
