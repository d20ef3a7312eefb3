/** A piece of HTML; what is put into it as text is escaped. */
export class Markup {
  constructor(readonly html: string) {}
}

type Piece = string | number | Markup | readonly Markup[];

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML, for elements and for attributes in quotation marks. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');
}

/** HTML of a template. Not called html: formatters would change the blanks in it. Whatever is put into it is text, but for other pieces of HTML. */
export function markup(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(strings.reduce((all, part, index) => all + written(pieces[index - 1] as Piece) + part));
}

function written(piece: Piece): string {
  if (piece instanceof Markup) return piece.html;
  if (typeof piece === 'object') return piece.map(({ html: each }) => each).join('');
  return escaped(String(piece));
}

/** A name chosen by a user: its writing direction does not affect the text around it. */
export function name(text: string): Markup {
  return markup`<bdi>${text}</bdi>`;
}

/** JSON as the text of a script element, which it cannot end. */
export function json(value: unknown): Markup {
  return new Markup(
    JSON.stringify(value).replace(
      /[<\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
}
