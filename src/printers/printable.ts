/** Control characters, C0 and C1; invisible ones, among them those of writing direction; separators of lines; halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text, on one line and without what a terminal obeys; each such character becomes a question mark. */
export function printable(text: string): string {
  return text.replace(unprintable, '?');
}
