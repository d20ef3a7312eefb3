/** Control characters, C0 and C1; invisible ones, among them those of writing direction; separators of lines; halves of surrogate pairs. */
export const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text, on one line and without what a terminal obeys; each such character becomes a question mark. */
export function printable(text: string): string {
  return text.replace(unprintable, '?');
}

/**
 * A text that may be a stranger's, for a message: {@link printable}, with blanks for line breaks and tabs, and cut where it
 * is longer than `most` characters.
 */
export function brief(text: string, most = 300): string {
  // Cut first: what a stranger sends may have megabytes.
  const beginning = text.slice(0, most + 1).replace(/[\t\r\n]+/g, ' ');
  return printable(text.length > most ? `${beginning.slice(0, most - 3)}...` : beginning);
}

/** A text of several lines for a terminal: {@link printable}, but for where its lines end. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** A text without halves of surrogate pairs, which have no UTF-8: each becomes U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** UTF-16 units of a text that are printed at most: as many as a path can have. */
const maxText = 4096;

/** A text of a sample, which may be a stranger's, cut where it is longer than any that makes sense. */
export function bounded(text: string): string {
  return text.length > maxText ? text.slice(0, maxText) : text;
}
