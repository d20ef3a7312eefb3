import type { RootScope } from '../catalogue/entities.ts';
import type { Row } from '../catalogue/row.ts';
import { partsOf, rowsOf } from '../catalogue/row-tree.ts';
import type { AnyRowTree } from '../catalogue/row-tree.ts';
import type { Sample } from '../sampling/sample.ts';

/**
 * Rounds the numbers of a sample, in place, to four significant digits, but never to less than whole ones: an error of less
 * than one in two thousand, which takes a third of a history.
 */
export function roundSample({ host, guests, agent }: Sample): void {
  roundTree('host', host);
  for (const guest of guests) roundTree('vm', guest);
  roundTree('agent', agent);
}

function roundTree(root: RootScope, tree: AnyRowTree): void {
  roundRow(tree.row);
  for (const part of partsOf(root)) for (const row of rowsOf(tree, part)) roundRow(row);
}

function roundRow({ values }: Row): void {
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] as number;
    // Most are whole or not known.
    if (value % 1 !== 0 && !Number.isNaN(value)) values[slot] = rounded(value);
  }
}

/** A number that is not whole with four significant digits, by comparisons alone: logarithms take ten times as long. */
function rounded(value: number): number {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value);
  if (size >= 100) return Math.round(value * 10) / 10;
  if (size >= 10) return Math.round(value * 100) / 100;
  if (size >= 1) return Math.round(value * 1000) / 1000;
  if (size >= 0.1) return Math.round(value * 1e4) / 1e4;
  if (size >= 0.01) return Math.round(value * 1e5) / 1e5;
  return size >= 0.001 ? Math.round(value * 1e6) / 1e6 : Number(value.toPrecision(4));
}
