import { slots } from '../../catalogue/catalogue.ts';
import { FAULTS, of } from '../guest-signals.ts';
import type { GuestSignals } from '../guest-signals.ts';
import { scoreOf } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { ofHost } from '../host-signals.ts';
import { standing } from '../hysteresis.ts';
import type { Standing } from '../hysteresis.ts';
import type { Situation } from '../situation.ts';
import { bytes, number, percent } from '../wording.ts';

const mem = slots('mem', 'vm');

/** Faults per second below which nothing much comes back from swap. */
const FEW_FAULTS = 20;
/** Pressure of memory of a guest, percent of the time in which all its tasks wait. */
const PRESSED = 5;
const NOT_PRESSED = 2;
/** Percent of its memory limit from which on a container is at it. */
const AT_LIMIT = 90;
/** Percent of its memory that a host can still have: tight; no longer so; tight if there is pressure too, or swapping. */
const TIGHT = 4;
const EASY = 6;
const TIGHT_UNDER_PRESSURE = 10;
/** Pressure of memory of the host, percent. */
const HOST_PRESSED = 10;
const HOST_NOT_PRESSED = 5;
/** Bytes per second that the host, or a guest, reads back from swap. */
const SWAPS = 2 ** 20;
const SWAPS_LITTLE = 0.3 * SWAPS;
/** Seconds for which a report of the guest is valid. */
const FRESH = 30;

/** A host that is short of memory, and guests that wait for theirs. */
export function memoryFindings(situation: Situation, found: Finding[]): void {
  const { symptoms } = situation;
  const isTight = symptoms.shows('memory', situation.host, hostStanding(situation));
  if (isTight) found.push(tight(situation));
  const more = isTight ? '; the host is short of memory' : '';
  for (const guest of situation.guests) {
    if (!guest.isAtWork) continue;
    if (symptoms.shows('memory', guest, swapStanding(guest))) found.push(swapped(guest, more));
    if (symptoms.shows('balloon', guest, balloonStanding(guest))) found.push(ballooned(guest));
  }
}

function hostStanding({ host: { means } }: Situation): Standing {
  const left = means.of(ofHost.obtainable);
  if (Number.isNaN(left)) return 'unknown';
  const pressure = means.of(ofHost.memoryPressure);
  const swapIn = means.of(ofHost.swapIn);
  const underPressure = left <= TIGHT_UNDER_PRESSURE;
  if (left <= TIGHT || (underPressure && (pressure >= HOST_PRESSED || swapIn >= SWAPS))) return 'beyond';
  const stays = left <= EASY || (underPressure && (pressure >= HOST_NOT_PRESSED || swapIn >= SWAPS_LITTLE));
  return stays ? 'between' : 'below';
}

function tight({ host, guests }: Situation): Finding {
  const left = host.means.of(ofHost.obtainable);
  let [held, given] = [0, 0];
  for (const guest of guests) {
    const resident = guest.value(mem.ram_rss);
    held += (Number.isNaN(resident) ? guest.value(mem.ram_used) : resident) || 0;
    given += guest.value(mem.ram_ballooned) || 0;
  }
  // What cannot be read at present, while it still counts as short.
  const available = Number.isNaN(left) ? 'short' : `${percent(left)} available`;
  const total = Number.isNaN(host.memoryTotal) ? '' : ` of ${bytes(host.memoryTotal)}`;
  const balloons = given >= 2 ** 20 ? `; balloons gave ${bytes(given)}` : '';
  const sentence = `memory: ${available}, guests hold ${bytes(held)}${total}${balloons}`;
  return {
    rule: 'memory-host',
    class: 5,
    cause: 'memory',
    guest: undefined,
    suffers: '',
    score: Number.isNaN(left) ? 1 : scoreOf(TIGHT_UNDER_PRESSURE, left),
    tell: () => ({ sentence: () => sentence }),
  };
}

/** Cold data in swap that is not read back is harmless; page faults on files are not swap. */
function swapStanding(guest: GuestSignals): Standing {
  const { means } = guest;
  const isSwapped = guest.value(mem.ram_swap) > 0;
  const faults = isSwapped ? means.of(of.faultsJudged) : NaN;
  const pressure = means.of(of.memoryPressure);
  if (faults >= FAULTS || pressure >= PRESSED) return 'beyond';
  if (faults >= FEW_FAULTS || pressure >= NOT_PRESSED) return 'between';
  return Number.isNaN(faults) && Number.isNaN(pressure) ? 'unknown' : 'below';
}

function swapped(guest: GuestSignals, more: string): Finding {
  const { means } = guest;
  const faults = means.of(of.faults);
  const pressure = means.of(of.memoryPressure);
  const limit = guest.value(mem.ram_limit);
  const isFull = guest.value(mem.ram_limit_used) >= AT_LIMIT;
  const bySwap = guest.value(mem.ram_swap) > 0 && faults >= FEW_FAULTS;
  const suffers = bySwap ? `${number(faults)} faults/s` : `waits ${percent(pressure)} for memory`;
  const score = scoreOf(Math.max(faults / FAULTS || 0, pressure / PRESSED || 0), 1);
  const common = { cause: guest.key, guest, suffers, score };
  if (isFull)
    return {
      ...common,
      rule: 'memory-limit',
      class: 4,
      tell: () => ({
        sentence: (label) =>
          `${label(guest)} ${suffers}: own limit${Number.isNaN(limit) ? '' : ` of ${bytes(limit)}`} full`,
      }),
    };
  return {
    ...common,
    rule: 'memory-swap',
    class: 3,
    tell: () => ({
      sentence: (label) =>
        bySwap
          ? `${label(guest)} reads memory back from swap: ${suffers}${more}`
          : `${label(guest)} ${suffers}${more}`,
    }),
  };
}

/** A guest that swaps inside, while its balloon has taken memory from it. */
function balloonStanding(guest: GuestSignals): Standing {
  if (!(guest.value(mem.ram_ballooned) > 0)) return 'below';
  if (!(guest.value(mem.ram_guest_age) <= FRESH)) return 'unknown';
  return standing(guest.means.of(of.swapIn), SWAPS, SWAPS_LITTLE);
}

function ballooned(guest: GuestSignals): Finding {
  const swapIn = guest.means.of(of.swapIn);
  const [taken, whole] = [guest.value(mem.ram_ballooned), guest.value(mem.ram_max)];
  const suffers = `swaps ${number(swapIn / 2 ** 20)} MiB/s inside`;
  return {
    rule: 'memory-balloon',
    class: 3,
    cause: guest.key,
    guest,
    suffers,
    score: scoreOf(swapIn, SWAPS),
    tell: () => ({
      sentence: (label) => `${label(guest)} swaps inside: balloon took ${bytes(taken)} of ${bytes(whole)}`,
    }),
  };
}
