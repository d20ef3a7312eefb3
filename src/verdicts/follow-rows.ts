import type { Row } from '../catalogue/row.ts';

/**
 * Follows rows by the texts that name them, and forgets what is gone.
 * @param name slot of the text
 */
export function followRows<T>(
  kept: Map<string, T>,
  rows: readonly Row[],
  name: number,
  make: () => T,
  take: (signals: T, row: Row) => void,
): void {
  for (const row of rows) {
    const key = row.texts[name] ?? '';
    let signals = kept.get(key);
    if (signals === undefined) kept.set(key, (signals = make()));
    take(signals, row);
  }
  if (kept.size <= rows.length) return;
  const keys = new Set(rows.map((row) => row.texts[name] ?? ''));
  for (const key of kept.keys()) if (!keys.has(key)) kept.delete(key);
}
