import { fit, textWidth } from '../base/strings/glyphs.ts';
import { printable } from '../base/strings/printable.ts';
import { GuestSignals } from './guest-signals.ts';
import type { Finding, Label, Told } from './finding.ts';
import type { Taker } from './verdict.ts';

/** Columns of a terminal that a sentence has at most. */
const WIDTH = 79;
/** Columns of a name, tried until the sentence fits. */
const nameLengths = [255, 32, 24, 16, 12, 8];

/** A number as a sentence has it: whole from 10, one decimal below, thousands apart. */
export function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value >= 9.95 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '');
}

/** `40 %`. */
export function percent(value: number): string {
  return `${number(value)} %`;
}

/** From the smallest to the largest: `12-40 %`. */
export function range(values: readonly number[]): string {
  const [least, most] = [number(Math.min(...values)), number(Math.max(...values))];
  return least === most ? `${most} %` : `${least}-${most} %`;
}

/** `4 min`, `12 s`, `3 h`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 2 * 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** Bytes in the unit that keeps them readable: `512 MiB`. */
export function bytes(value: number): string {
  return value >= 2 ** 30 ? `${number(value / 2 ** 30)} GiB` : `${number(value / 2 ** 20)} MiB`;
}

/** One CPU, or several. */
export function cpus(count: number): string {
  return `${number(count)} CPU${count === 1 ? '' : 's'}`;
}

/** `1 guest`, `9 guests`. */
export function guests(count: number): string {
  return `${count} guest${count === 1 ? '' : 's'}`;
}

/** Who suffers: one by name, several by their number. */
export function who(all: readonly Finding[], label: Label): string {
  const [first] = all;
  return all.length === 1 && first?.guest !== undefined ? label(first.guest) : guests(all.length);
}

/** The sentence, whose names are cut where it is too long; control characters in them, which tenants chose, are not kept. */
export function sentence({ sentence: make }: Told): string {
  let text = '';
  for (const length of nameLengths) {
    text = printable(make(labelOf(length)));
    if (textWidth(text) <= WIDTH) break;
  }
  return text;
}

/** How a guest is called where there is room. */
export const fullLabel = labelOf(255);

function labelOf(length: number): Label {
  return (guest) => {
    const rows = guest instanceof GuestSignals ? guest.rows : guest.guest;
    if (rows === undefined) return (guest as Taker).name;
    const { name, vmid, lock } = rows.guest;
    const short = textWidth(name) > length ? `${fit(name, length - 1).trimEnd()}~` : name;
    const told = vmid === undefined ? short : `${vmid} ${short}`;
    return !(guest instanceof GuestSignals) && lock === 'backup' ? `${told} (backup)` : told;
  };
}
