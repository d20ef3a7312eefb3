import type { CountedTransition, Matrices } from './matrix.ts';
import { countPeriod } from './matrix.ts';

/** A span of a cycle, with what was counted in it. */
export interface TreeNode {
  readonly maxChilds: number;
  /** Periods that one pass through it takes. */
  readonly maxCounts: number;
  readonly children: readonly TreeNode[];
  readonly matrices: Matrices;
}

/** Cycles inside cycles, such as hours in days in weeks: plain data, so that it can be saved. */
export interface PeriodTree {
  readonly root: TreeNode;
  /** The child that is under way at each depth. */
  readonly path: number[];
  /** Periods counted in the present leaf. */
  filled: number;
}

/** Makes a tree. @param sizes children at each depth, then the periods of a leaf; empty for a tree that counts nothing */
export function newPeriodTree(sizes: readonly number[]): PeriodTree {
  return { root: newNode(sizes), path: sizes.slice(1).map(() => 0), filled: 0 };
}

function newNode([size = 0, ...below]: readonly number[]): TreeNode {
  const children = below.length === 0 ? [] : Array.from({ length: size }, () => newNode(below));
  const maxCounts = children.length === 0 ? size : children.reduce((sum, child) => sum + child.maxCounts, 0);
  return { maxChilds: children.length, maxCounts, children, matrices: {} };
}

/** Counts a period in every span it falls into, and goes on to the next span where one is full. */
export function countInTree(
  tree: PeriodTree,
  transitions: readonly CountedTransition[],
  states: number,
  sizes: readonly number[],
): void {
  if (sizes.length === 0) return;
  let node: TreeNode | undefined = tree.root;
  for (let depth = 0; node !== undefined; depth++) {
    countPeriod(node.matrices, transitions, states);
    node = node.children[tree.path[depth] ?? 0];
  }
  tree.filled++;
  if (tree.filled < (sizes.at(-1) ?? 1)) return;
  tree.filled = 0;
  for (let depth = tree.path.length - 1; depth >= 0; depth--) {
    const next = (tree.path[depth] ?? 0) + 1;
    const size = sizes[depth] ?? 1;
    tree.path[depth] = next < size ? next : 0;
    if (next < size) return;
  }
}

/** All matrices of a tree. */
export function* matricesOf({ matrices, children }: TreeNode): Generator<Matrices> {
  yield matrices;
  for (const child of children) yield* matricesOf(child);
}
