/** The members of an object or array that came from outside; of anything else none. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The values of an array that came from outside; of anything else none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** Characters of the longest name that means anything. */
const LONGEST_TEXT = 255;

/** A name that came from outside; undefined for anything else, and for one that is too long to be one. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= LONGEST_TEXT ? value : undefined;
}
