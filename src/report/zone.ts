import { offsetText } from './shared/words.ts';
import type { Zone } from './shared/model.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Steps at most in which it is looked for changes: hours for two years, weeks for four centuries. */
const mostSteps = 20_000;

/** Minutes that this machine's clock is ahead of UTC at a time, ms since 1970. */
function offset(time: number): number {
  return -Math.round(new Date(time).getTimezoneOffset());
}

/** The time zone of this machine in a span, with the changes of the clock in it, so that a page needs none of its own. */
export function zoneOf(begin: number, end: number): Zone {
  const offsets: [number, number][] = [[begin, offset(begin)]];
  // A clock that was never set is in 1970, a broken one anywhere.
  const step = Math.max(HOUR, Math.ceil((end - begin) / mostSteps));
  for (let before = begin; before < end; before += step) {
    const after = Math.min(before + step, end);
    if (offset(after) === offset(before)) continue;
    let low = before;
    let high = after;
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2);
      if (offset(middle) === offset(before)) low = middle;
      else high = middle;
    }
    offsets.push([Math.round(high / MINUTE) * MINUTE, offset(after)]);
  }
  // Node knows no name where TZ is none of the tz database.
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone as string | undefined;
  return { name: name ?? `UTC${offsetText(offset(begin))}`, offsets };
}
