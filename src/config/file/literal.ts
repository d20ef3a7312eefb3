import { unsafe } from 'ini';

/**
 * What the right side of `key = value` means, literally: quotation marks around it come off, a comment begins at a `;` or
 * `#` after a blank and not within quotation marks, and all else stays as it is.
 *
 * ini's own reading of a value cannot be told to do so: it cuts at any `;` or `#`, takes backslashes for escapes, makes
 * numbers of quoted digits, and none of its options is about that. What it takes apart and joins again without a change
 * is a text in the form of JSON; so the text is found here, and ini gets it in this form.
 *
 * @returns undefined where the value begins with a quotation mark and does not end with it
 */
export function literal(written: string): string | undefined {
  const mark = /^\s*(["'])/.exec(written)?.[1];
  const text = mark === undefined ? withoutComment(written) : between(mark, written.trim());
  return text === undefined ? undefined : unsafe(JSON.stringify(text));
}

function withoutComment(written: string): string {
  const comment = written.search(/\s[;#]/);
  return (comment < 0 ? written : written.slice(0, comment)).trim();
}

/** The text between the mark it begins with and the first such mark behind which only a comment can stand. */
function between(mark: string, text: string): string | undefined {
  const end = new RegExp(`${mark}(?=\\s+[;#]|$)`, 'g');
  end.lastIndex = 1;
  const found = end.exec(text);
  return found === null ? undefined : text.slice(1, found.index);
}
