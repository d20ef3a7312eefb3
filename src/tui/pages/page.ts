import type { Key } from '../screen/keys.ts';
import type { Line, Size } from '../screen/spans.ts';

/** Result of a key on a page; `unused` leaves it to the view, which scrolls with arrows and closes with q and Esc. */
export type KeyUse = 'used' | 'unused' | 'close';

/** A page that covers table and host panel: help, fields, one VM, why, blame. */
export interface Page {
  readonly title: string;
  /** Keys that it takes, for the help line. */
  readonly keys: string;
  /**
   * Its whole text, broken for this width; the view scrolls it. Called for each frame.
   * @param size what is there for the text
   */
  lines(size: Size): readonly Line[];
  /** The line that must be on the screen; missing where the user scrolls. */
  readonly cursor?: number | undefined;
  /** Takes a key. Missing where there is nothing to do on the page. */
  press?(key: Key): KeyUse;
}

/** A page of text that does not change while it is read. */
export function textPage(title: string, text: readonly Line[]): Page {
  return { title, keys: '', lines: () => text };
}
