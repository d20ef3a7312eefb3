import type { Statistics, Summary } from './statistics.ts';
import { addPeriod, noStatistics } from './statistics.ts';
import type { Counts } from './transitions.ts';
import { countTransition, likelinessOf, relevel } from './transitions.ts';

/** What is counted of one metric. */
interface Matrix {
  readonly stats: Statistics;
  counts: Counts;
}

/** What is counted of each metric, by its name. */
export type Matrices = Record<string, Matrix>;

/** One metric's change from the states before to the state of a period. */
export interface Transition {
  readonly metric: string;
  /** The states before, oldest first. */
  readonly history: readonly number[];
  /** {@link keysOf} the history. */
  readonly keys: readonly string[];
  readonly next: number;
}

/** A transition and the inputs of its period. */
export interface CountedTransition extends Transition {
  readonly summary: Summary;
}

/** Counts what the metrics did in one period. */
export function countPeriod(
  matrices: Matrices,
  transitions: readonly CountedTransition[],
  states: number,
): void {
  for (const { metric, keys, next, summary } of transitions) {
    const matrix = (matrices[metric] ??= { stats: noStatistics(), counts: {} });
    addPeriod(matrix.stats, summary);
    countTransition(matrix.counts, keys, next, states);
  }
}

/** How likely the transitions of a period are, the mean over the metrics; undefined where nothing is known of any. */
export function meanLikeliness(matrices: Matrices, transitions: readonly Transition[]): number | undefined {
  let total = 0;
  let known = 0;
  for (const { metric, keys, next } of transitions) {
    const matrix = matrices[metric];
    const likeliness = matrix === undefined ? undefined : likelinessOf(matrix.counts, keys, next);
    if (likeliness === undefined) continue;
    total += likeliness;
    known++;
  }
  return known === 0 ? undefined : total / known;
}

/** Moves what was counted of a metric to other levels. */
export function relevelMatrices(matrices: Matrices, metric: string, moved: readonly number[]): void {
  const matrix = matrices[metric];
  if (matrix !== undefined) matrix.counts = relevel(matrix.counts, moved);
}
