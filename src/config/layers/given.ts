import { ConfigError } from '../errors.ts';
import { Refusal } from '../values.ts';
import type { ValueType } from '../values.ts';

/** A value that somebody gave, as it was written. */
export interface Given {
  readonly text: string;
  /** Where it stands, to begin a message with: `FILE:LINE, [SECTION] KEY`, `PROXTOP_KEY` or `--flag`. */
  readonly origin: string;
}

/** What was given in one section, by key. */
export type GivenMap = ReadonlyMap<string, Given>;

/** Lays maps over each other; the last one that has a key wins. */
export function overlay(...maps: readonly GivenMap[]): GivenMap {
  return new Map(maps.flatMap((map) => [...map]));
}

/** Reads a given text. Throws a ConfigError that names its origin. */
export function parseGiven<T>(given: Given, parse: (text: string) => T | Refusal): T {
  const value = parse(given.text);
  if (value instanceof Refusal) throw new ConfigError(`${given.origin}: ${value.reason}`);
  return value;
}

/** The options of one section: what was given for each, else its default, else undefined. */
export type Values<S> = {
  readonly [K in keyof S]: S[K] extends { type: ValueType<infer T> }
    ? S[K] extends { default: string }
      ? T
      : T | undefined
    : never;
};

/** Reads all options of a section. Throws a ConfigError for the first one that was given wrongly. */
export function readValues<
  S extends Readonly<Record<string, { type: ValueType<unknown>; default?: string }>>,
>(section: S, given: GivenMap): Values<S> {
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(section)) {
    const written =
      given.get(key) ??
      (option.default === undefined ? undefined : { text: option.default, origin: `default of ${key}` });
    if (written !== undefined) values[key] = parseGiven(written, (text) => option.type.parse(text));
  }
  return values as Values<S>;
}
