import { isGrave, isHint } from '../../verdicts/verdict.ts';
import type { Verdict } from '../../verdicts/verdict.ts';
import { fit, textWidth } from '../../base/strings/glyphs.ts';
import { line } from '../screen/spans.ts';
import type { Line, Size, Style } from '../screen/spans.ts';

/** Verdicts that are shown at most. */
const MOST = 3;
/** Rows below which there is room for one of them, and for none. */
const ROWS_FOR_ALL = 16;
const ROWS_FOR_ONE = 6;

/** How a verdict looks. */
export function verdictStyle(verdict: Verdict): Style {
  if (isHint(verdict)) return 'normal';
  return isGrave(verdict) ? 'bad' : 'warn';
}

/** A verdict on a line: a mark besides the colour where it is grave. */
export function verdictText(verdict: Verdict): string {
  return `${isGrave(verdict) ? '!' : ' '} ${verdict.text}`;
}

/**
 * What is wrong, the gravest first: what stands between the panel of the host and the table. No more than there are verdicts,
 * each of which stays for a quarter of a minute, so that the table does not move from sample to sample.
 */
export function verdictLines(verdicts: readonly Verdict[], { columns, rows }: Size): readonly Line[] {
  const most = rows < ROWS_FOR_ONE ? 0 : rows < ROWS_FOR_ALL ? 1 : MOST;
  const shown = verdicts.slice(0, most);
  const left = verdicts.length - shown.length;
  return shown.map((verdict, index) => {
    const text = verdictText(verdict);
    if (left === 0 || index < shown.length - 1) return line(text, verdictStyle(verdict));
    const more = `  +${left} more (b)`;
    const room = Math.max(0, columns - more.length);
    return line((textWidth(text) > room ? fit(text, room) : text) + more, verdictStyle(verdict));
  });
}
