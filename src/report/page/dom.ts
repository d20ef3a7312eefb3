/** Makes an element; texts become text, whatever they hold. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A name chosen by a user, whose writing direction does not affect the text around it. */
export function nameOf(text: string): HTMLElement {
  return element('bdi', {}, text);
}

/** The part of the page with an id. */
export function part(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found;
}

/** The colour that the style sheet gives a name at present; on paper those of the light scheme. */
export function colour(name: string): string {
  return getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();
}

const redraws = new Set<() => void>();

/** Calls whenever colours or sizes are others: another scheme, another width, on the way to the printer and back. */
export function onRedraw(draw: () => void): void {
  redraws.add(draw);
}

function redraw(): void {
  for (const draw of redraws) draw();
}

/** Whether what is drawn now is for paper. */
export function isPrinting(): boolean {
  return printing || matchMedia('print').matches;
}

let printing = false;
let width = innerWidth;
for (const query of ['(prefers-color-scheme: dark)', 'print'])
  matchMedia(query).addEventListener('change', redraw);
addEventListener('beforeprint', () => {
  printing = true;
  for (const details of document.querySelectorAll('details')) details.open = true;
  redraw();
});
addEventListener('afterprint', () => {
  printing = false;
  redraw();
});
addEventListener('resize', () => {
  if (innerWidth === width) return;
  width = innerWidth;
  redraw();
});
