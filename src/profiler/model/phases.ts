import type { CountedTransition, Matrices, Transition } from './matrix.ts';
import { countPeriod, meanLikeliness } from './matrix.ts';
import type { ProfileSettings } from '../settings.ts';
import type { Counts } from './transitions.ts';
import { countTransition, historyKeys } from './transitions.ts';

/** A load that no threshold fits would open phases for ever. */
const MAX_PHASES = 16;

/** The transitions of one period and how likely they were in the phase they came in. */
interface Judged {
  transitions: readonly Transition[];
  readonly likeliness: number;
}

/** Times in which a VM behaves in different ways: plain data, so that it can be saved. */
export interface Phases {
  current: number;
  /** What was counted in each phase. */
  readonly list: Matrices[];
  /** The last periods since the phase was entered. */
  readonly window: Judged[];
  /** How often a phase followed a phase, by period. */
  readonly counts: Counts;
}

export function newPhases(): Phases {
  return { current: 0, list: [{}], window: [], counts: {} };
}

/**
 * Counts a period in the present phase, or in another one: when the mean likeliness of the last `phaseChangeHistory`
 * periods is below the threshold, the phase that explains them best is entered, or a new one opened where none of them
 * comes up to the threshold. Judgement then starts again. A phase learns for as many periods as there are states before
 * it is judged. A history it has never seen is judged by how often it enters the state at all.
 */
export function countInPhases(
  phases: Phases,
  transitions: readonly CountedTransition[],
  { states, phaseChangeLikeliness, phaseChangeHistory }: ProfileSettings,
): void {
  if (phaseChangeLikeliness === 0 || transitions.length === 0) return;
  const before = phases.current;
  const { list, window } = phases;
  if (periodsIn(phases, before) >= states) {
    const likeliness = meanLikeliness(list[before] ?? {}, transitions) ?? 1;
    const plain = transitions.map(({ metric, history, keys, next }) => ({ metric, history, keys, next }));
    window.push({ transitions: plain, likeliness });
  }
  if (window.length > phaseChangeHistory) window.shift();
  if (window.length === phaseChangeHistory && mean(window) < phaseChangeLikeliness) {
    phases.current = choosePhase(phases, phaseChangeLikeliness);
    window.length = 0;
  }
  countPeriod((list[phases.current] ??= {}), transitions, states);
  countTransition(phases.counts, [String(before)], phases.current, list.length);
}

function periodsIn({ counts }: Phases, phase: number): number {
  return Object.values(counts).reduce((sum, row) => sum + (row[phase] ?? 0), 0);
}

function mean(window: readonly Judged[]): number {
  return window.reduce((sum, { likeliness }) => sum + likeliness, 0) / window.length;
}

/** The phase to go on in; one past the last stands for a new one. */
function choosePhase({ current, list, window }: Phases, threshold: number): number {
  let best = current;
  let highest = -1;
  for (const [phase, matrices] of list.entries()) {
    if (phase === current) continue;
    const explained = window.reduce(
      (sum, { transitions }) => sum + (meanLikeliness(matrices, transitions) ?? 0),
      0,
    );
    if (explained / window.length > highest) {
      best = phase;
      highest = explained / window.length;
    }
  }
  return highest >= threshold || list.length >= MAX_PHASES ? best : list.length;
}

/** Moves the transitions that are still judged to other levels. */
export function relevelWindow(phases: Phases, metric: string, moved: readonly number[]): void {
  for (const judged of phases.window) {
    judged.transitions = judged.transitions.map((transition) => {
      if (transition.metric !== metric) return transition;
      const history = transition.history.map((level) => moved[level] ?? 0);
      return { metric, history, keys: historyKeys(history), next: moved[transition.next] ?? 0 };
    });
  }
}
