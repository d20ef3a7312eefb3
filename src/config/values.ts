import { parseHosts } from '../cluster/hosts-list.ts';
import type { NodeAddress } from '../cluster/node-source.ts';
import { parseUri } from '../libvirt/uri.ts';
import { quote } from '../formats/json/json.ts';
import { nearest } from './nearest.ts';

/** Why a text is not a value of some type, for a message after the place where it stands. */
export class Refusal {
  constructor(readonly reason: string) {}
}

/** What a text in a file, the environment or an argument may be. */
export interface ValueType<T> {
  /** What is expected, to stand after "expected". */
  readonly expected: string;
  /** Whether several values can be given at once. */
  readonly list?: true;
  /** All that it can be, where that is a closed list. */
  readonly words?: readonly string[];
  /** Nothing but true and false: a flag of this type takes no value. */
  readonly boolean?: true;
  parse(text: string): T | Refusal;
}

/** Says that `found` is not what was expected and, where one of the known words is near, which was probably meant. */
export function refuse(found: string, expected: string, known: Iterable<string> = []): Refusal {
  const near = nearest(found, known);
  return new Refusal(
    `found ${quoted(found)}, expected ${expected}${near === undefined ? '' : `; did you mean ${quoted(near)}?`}`,
  );
}

/**
 * A text that was found somewhere, for a message: in quotation marks, escaped, and cut where it is long, or where another
 * setting seems to have come onto its line, which may be a secret.
 */
export function quoted(found: string): string {
  const own = found.slice(0, 1000).replace(/(\s|password|token|headers)(\s*=).*$/is, '$1$2 ...');
  return quote(own.length > 60 ? `${own.slice(0, 57)}...` : own);
}

/** An address or a URL as it may be shown: without the user and password before its last `@`. */
export function withoutUser(text: string): string {
  return text.replace(/^([a-z+]*:\/\/)?.*@/is, (_, scheme = '') => `${scheme}...@`);
}

/** Words as a sentence lists them: `a, b or c`. */
export function listed(words: readonly string[], conjunction = 'or'): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} ${conjunction} ${last}`;
}

const decimalDigits = /^\d+(\.\d+)?$|^\.\d+$/;

/** A number with a fraction; `unit` stands for what is counted, such as seconds. */
export function decimal(min: number, max: number, unit: string): ValueType<number> {
  const expected = `a number of ${unit} from ${min} to ${max}`;
  return {
    expected,
    parse(text) {
      const value = decimalDigits.test(text) ? Number(text) : NaN;
      return value >= min && value <= max ? value : refuse(text, expected);
    },
  };
}

const durationUnits: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A length of time in seconds, written as 12h, 3d, 90 min, 2 days. */
export function duration(min: string, max: string): ValueType<number> {
  const expected = `a time from ${min} to ${max}, such as 12h or 3 days`;
  const parse = (written: string): number => {
    const [, digits, unit] =
      /^(\d+)\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?)$/i.exec(written) ?? [];
    return Number(digits) * (durationUnits[unit?.charAt(0).toLowerCase() ?? ''] ?? NaN);
  };
  const least = parse(min);
  const most = parse(max);
  return {
    expected,
    parse(written) {
      const seconds = parse(written);
      return seconds >= least && seconds <= most ? seconds : refuse(written, expected);
    },
  };
}

/** A part of a whole, between 0 and 1 without these two. */
export const share: ValueType<number> = {
  expected: 'a share above 0 and below 1, such as 0.5',
  parse(text) {
    const value = decimalDigits.test(text) ? Number(text) : NaN;
    return value > 0 && value < 1 ? value : refuse(text, this.expected);
  },
};

/** A whole number. */
export function integer(min: number, max: number): ValueType<number> {
  const expected = `a whole number from ${min} to ${max}`;
  return {
    expected,
    parse(text) {
      const value = /^\d+$/.test(text) ? Number(text) : NaN;
      return value >= min && value <= max ? value : refuse(text, expected);
    },
  };
}

/** How often to do something: a whole number from 1, or `endless` (Infinity), which the original wrote as -1. */
export const times: ValueType<number> = {
  expected: 'a whole number from 1, or endless',
  parse(text) {
    if (text === 'endless' || text === '-1') return Infinity;
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    return value >= 1 && Number.isSafeInteger(value) ? value : refuse(text, this.expected, ['endless']);
  },
};

const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

/** true or false, also written yes, on, 1, no, off, 0. */
export const truth: ValueType<boolean> = {
  expected: 'true or false',
  boolean: true,
  parse(text) {
    return truths.get(text.toLowerCase()) ?? refuse(text, this.expected, truths.keys());
  },
};

/** One word of a closed list. */
export function choice<const T extends string>(words: readonly T[]): ValueType<T> {
  const expected = listed(words);
  return {
    expected,
    words,
    parse: (text) => words.find((word) => word === text) ?? refuse(text, expected, words),
  };
}

/**
 * One or more words of a closed list, each under one or more names; separated by commas or spaces.
 * @param former names that are understood, and no longer offered
 */
export function choices<T>(
  byName: Readonly<Record<string, T>>,
  former: Readonly<Record<string, T>> = {},
): ValueType<readonly T[]> {
  const names = Object.keys(byName);
  const expected = `one or more of ${names.join(', ')}`;
  const known = new Map(Object.entries({ ...former, ...byName }));
  return {
    expected,
    words: names,
    list: true,
    parse(text) {
      const chosen: T[] = [];
      for (const name of split(text)) {
        const value = known.get(name);
        if (value === undefined) return refuse(name, expected, names);
        if (!chosen.includes(value)) chosen.push(value);
      }
      return chosen.length > 0 ? chosen : refuse(text, expected);
    },
  };
}

/** One or more names of devices, separated by commas or spaces. */
export const names: ValueType<readonly string[]> = {
  expected: 'one or more names, separated by commas',
  list: true,
  parse(text) {
    const found = split(text);
    return found.length > 0 ? found : refuse(text, this.expected);
  },
};

function split(text: string): string[] {
  return text.split(/[\s,]+/).filter((name) => name !== '');
}

/** A text that is not empty; `what` says what it names. */
export function plainText(what: string): ValueType<string> {
  return {
    expected: what,
    parse: (found) => (found === '' ? refuse(found, what) : found),
  };
}

const sizeUnits: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** A size in bytes, written as a whole number, with K, M or G for powers of 1024. */
export function bytes(min: string, max: string): ValueType<number> {
  const expected = `a size in bytes from ${min} to ${max}, such as 64M`;
  const parse = (written: string): number => {
    const [, digits, unit] = /^(\d+)([KMG]?)$/i.exec(written) ?? [];
    return Number(digits) * (sizeUnits[unit?.toUpperCase() ?? ''] ?? NaN);
  };
  const least = parse(min);
  const most = parse(max);
  return {
    expected,
    parse(written) {
      const size = parse(written);
      return size >= least && size <= most ? size : refuse(written, expected);
    },
  };
}

/** A connection URI of libvirt. */
export const libvirtUri: ValueType<string> = {
  expected: 'a libvirt URI such as qemu:///system or qemu+ssh://root@host/system',
  parse(text) {
    try {
      parseUri(text);
      return text;
    } catch (error) {
      return new Refusal((error as Error).message);
    }
  },
};

/** Nodes to watch, as ssh reaches them. */
export const nodeList: ValueType<readonly NodeAddress[]> = {
  expected: 'nodes separated by commas, such as pve1,admin@kvm2,[2001:db8::1]:2222',
  parse(text) {
    try {
      return parseHosts(text);
    } catch (error) {
      return new Refusal((error as Error).message);
    }
  },
};

/** Where to record to. */
export const recordingPath: ValueType<string> = {
  expected: 'a path that does not end in .gz, as it is not compressed while it is written',
  parse: (found) => (found === '' || found.endsWith('.gz') ? refuse(found, recordingPath.expected) : found),
};
