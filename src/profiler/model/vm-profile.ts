import type { BoundRule } from './levels.ts';
import type { CountedTransition, Matrices } from './matrix.ts';
import { countPeriod, relevelMatrices } from './matrix.ts';
import type { PeriodTree } from './period-tree.ts';
import { countInTree, matricesOf, newPeriodTree } from './period-tree.ts';
import type { Phases } from './phases.ts';
import { countInPhases, newPhases, relevelWindow } from './phases.ts';
import type { ProfileSettings } from '../settings.ts';
import { noStatistics } from './statistics.ts';
import type { Track } from './track.ts';
import { endPeriod, newTrack, takeInput } from './track.ts';
import { historyKeys } from './transitions.ts';

/** Everything that is known of one VM: plain data, so that JSON carries it over a restart exactly. */
export interface VmState {
  /** Inputs of the period under way. */
  inputs: number;
  readonly tracks: Record<string, Track>;
  readonly root: Matrices;
  readonly tree: PeriodTree;
  readonly phases: Phases;
}

/** A metric and what is known beforehand of its bounds. */
export interface MetricRule extends BoundRule {
  readonly name: string;
}

const nothing = noStatistics();

/** The profile of one VM as it grows. */
export class VmProfile {
  /** @param state what was known before a restart */
  constructor(
    readonly settings: ProfileSettings,
    readonly state: VmState = newState(settings),
  ) {}

  /** Whether anything was counted yet. */
  get empty(): boolean {
    return Object.keys(this.state.root).length === 0;
  }

  /** Takes one input. @param values in the order of the metrics; NaN for what is not known, which is no input then */
  put(metrics: readonly MetricRule[], values: ArrayLike<number>): void {
    const { settings, state } = this;
    let known = false;
    for (let index = 0; index < metrics.length; index++) {
      const value = values[index] ?? NaN;
      const name = metrics[index]?.name;
      if (name === undefined || !Number.isFinite(value)) continue;
      known = true;
      const track = (state.tracks[name] ??= newTrack(settings));
      takeInput(track, value, settings, state.root[name]?.stats ?? nothing);
    }
    if (!known) return;
    state.inputs++;
    if (state.inputs < settings.buffersize) return;
    state.inputs = 0;
    this.endPeriod(metrics);
  }

  private endPeriod(metrics: readonly MetricRule[]): void {
    const { settings, state } = this;
    const transitions: CountedTransition[] = [];
    for (const rule of metrics) {
      const metric = rule.name;
      const track = state.tracks[metric];
      if (track === undefined) continue;
      const period = endPeriod(track, rule, settings, state.root[metric]?.stats ?? nothing);
      if (period === undefined) continue;
      const { history, level: next, summary, moved } = period;
      if (moved !== undefined) this.relevel(metric, moved);
      transitions.push({ metric, history, keys: historyKeys(history), next, summary });
    }
    countPeriod(state.root, transitions, settings.states);
    countInTree(state.tree, transitions, settings.states, settings.periodSize);
    countInPhases(state.phases, transitions, settings);
  }

  private relevel(metric: string, moved: readonly number[]): void {
    const { root, tree, phases } = this.state;
    for (const matrices of [root, ...matricesOf(tree.root), ...phases.list])
      relevelMatrices(matrices, metric, moved);
    relevelWindow(phases, metric, moved);
  }
}

function newState({ periodSize }: ProfileSettings): VmState {
  return { inputs: 0, tracks: {}, root: {}, tree: newPeriodTree(periodSize), phases: newPhases() };
}
