const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ascii = ['_', '.', '-', '=', '+', '*', '%', '#'];

/**
 * Values as a line of bars, one character each, blank where not known.
 *
 * @param top the value of a full bar; what is above is a full bar too
 */
export function sparkline(values: readonly number[], top: number, unicode: boolean): string {
  const bars = unicode ? blocks : ascii;
  return values
    .map((value) => {
      if (Number.isNaN(value)) return ' ';
      const level = top > 0 ? Math.ceil((value / top) * bars.length) - 1 : 0;
      return bars[Math.max(0, Math.min(bars.length - 1, level))] ?? ' ';
    })
    .join('');
}
