import { centreOf } from './model/levels.ts';
import type { Profile, ProfileMatrix, Subject } from './profile.ts';
import type { TransitionRow } from './model/transitions.ts';
import { historyKeys, longestKnown } from './model/transitions.ts';

/** How a VM might go on, by metric. */
interface Simulation extends Subject {
  readonly states: Readonly<Record<string, readonly number[]>>;
  /** The values in the middle of these states. */
  readonly values: Readonly<Record<string, readonly number[]>>;
}

/**
 * Draws states one after the other, each by the likeliness the profile gives it after those before. It starts from the
 * history that was seen most.
 * @param random a number from 0 up to, not including, 1
 */
export function simulate(profile: Profile, steps: number, random: () => number): Simulation {
  const { states: count, history } = profile.settings;
  const states: Record<string, readonly number[]> = {};
  const values: Record<string, readonly number[]> = {};
  for (const matrix of profile.roottx) {
    const drawn = walk(matrix, history, steps, random);
    states[matrix.metric] = drawn;
    values[matrix.metric] = drawn.map((state) => centreOf(state, matrix.stats, count));
  }
  const { name, guest_type, vmid, pid } = profile;
  return { name, guest_type, vmid, pid, states, values };
}

function walk(
  { transitions }: ProfileMatrix,
  length: number,
  steps: number,
  random: () => number,
): readonly number[] {
  let past = mostSeen(transitions, length);
  return Array.from({ length: steps }, () => {
    const row =
      longestKnown(transitions, historyKeys(past)) ?? transitions[mostSeen(transitions, 1).join('-')];
    const next = draw(row?.nextProbs ?? [], random);
    past = [...past, next].slice(-length);
    return next;
  });
}

/** The history of this length that was seen most. */
function mostSeen(transitions: Readonly<Record<string, TransitionRow>>, length: number): readonly number[] {
  let best: readonly number[] = [];
  let highest = -1;
  for (const [key, { probability }] of Object.entries(transitions)) {
    const history = key.split('-').map(Number);
    if (history.length !== length || probability <= highest) continue;
    best = history;
    highest = probability;
  }
  return best;
}

function draw(weights: readonly number[], random: () => number): number {
  let rest = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [state, weight] of weights.entries()) {
    rest -= weight;
    if (rest < 0) return state;
  }
  return Math.max(
    0,
    weights.findLastIndex((weight) => weight > 0),
  );
}
