/** How a piece of text looks; what that is on this terminal: palette.ts. */
export const styles = ['normal', 'dim', 'strong', 'heading', 'title', 'key', 'good', 'warn', 'bad'] as const;
export type Style = (typeof styles)[number];

/** A piece of text in one style. Control characters in it are never sent to the terminal. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
  /** Drawn with the colours swapped: the line of the cursor. */
  readonly reverse?: boolean;
}

/** One line of the screen; what is longer than the screen is wide is cut. */
export type Line = readonly Span[];

/** Columns and rows of the screen, or of a part of it. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A line in one style. */
export function line(text: string, style: Style = 'normal'): Line {
  return [{ text, style }];
}
