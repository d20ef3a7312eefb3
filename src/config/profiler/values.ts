import type { ValueType } from '../values.ts';
import { decimal, integer, refuse } from '../values.ts';

/** How many levels a metric is divided into. */
export const stateCount: ValueType<number> = integer(2, 100);

const historyCost =
  'each more multiplies the histories that are counted by the number of states: 4 states and history 6 are 4096 for each metric of each VM';

/** How many states a transition starts from. */
export const historyLength: ValueType<number> = {
  expected: `a whole number from 1 to 6 (${historyCost})`,
  parse(text) {
    return /^[1-6]$/.test(text) ? Number(text) : refuse(text, this.expected);
  },
};

/** Standard deviations beyond which something is an outlier, or -1 for no limit. */
export const outlierLimit: ValueType<number> = {
  expected: 'a number of standard deviations above 0 up to 1000, or -1 to leave out nothing',
  parse(text) {
    if (text === '-1') return -1;
    const value = decimal(0, 1000, '').parse(text);
    return typeof value === 'number' && value > 0 ? value : refuse(text, this.expected);
  },
};

/** A likeliness or a share. */
export const likeliness: ValueType<number> = {
  expected: 'a number from 0 to 1',
  parse(text) {
    const value = decimal(0, 1, '').parse(text);
    return typeof value === 'number' ? value : refuse(text, this.expected);
  },
};

const units: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };
const longest = 86400;

/** A time in seconds, written as seconds or with s, m or h. */
export const duration: ValueType<number> = {
  expected: 'a time from 1 second to 24 hours, such as 60s, 5m, 1h or 60',
  parse(text) {
    const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text) ?? [];
    const seconds = Number(digits) * (units[unit] ?? NaN);
    return seconds >= 1 && seconds <= longest ? seconds : refuse(text, this.expected);
  },
};

const maxNodes = 10_000;

/** The sizes of a period tree from the root to the leaves. */
export const periodSizes: ValueType<readonly number[]> = {
  expected: `whole numbers from 1, separated by commas, such as 7,24,6, for at most ${maxNodes} spans`,
  list: true,
  parse(text) {
    const parts = text.split(',').map((part) => part.trim());
    if (!parts.every((part) => /^[1-9]\d{0,5}$/.test(part))) return refuse(text, this.expected);
    const sizes = parts.map(Number);
    let nodes = 1;
    let all = 1;
    for (const size of sizes.slice(0, -1)) {
      nodes *= size;
      all += nodes;
    }
    return all <= maxNodes ? sizes : refuse(text, this.expected);
  },
};
