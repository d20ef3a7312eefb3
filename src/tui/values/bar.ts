/**
 * A share as a bar of so many columns.
 * @param percent of the whole bar; what is above 100 is a full bar, and NaN an empty one
 */
export function bar(percent: number, columns: number, unicode: boolean): string {
  const share = Number.isNaN(percent) ? 0 : Math.max(0, Math.min(1, percent / 100));
  const full = Math.round(share * columns);
  return (unicode ? '█' : '#').repeat(full) + (unicode ? '░' : '.').repeat(columns - full);
}
