/** An object as a parser yields it, whose members may be anything. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object, and no array. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of an object that came from outside; of anything else none. */
export function record(value: unknown): Fields {
  return isObject(value) ? value : {};
}

/** The values of an array that came from outside; of anything else none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** Characters of the longest name that means anything. */
const LONGEST_TEXT = 255;

/** A name that came from outside; undefined for anything else, and for one that is too long to be one. */
export function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= LONGEST_TEXT ? value : undefined;
}

/** What a JSON text says; undefined for one that is damaged. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
