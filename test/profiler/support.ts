import { readFileSync } from 'node:fs';
import type { ProfileSettings } from '../../src/profiler/settings.ts';
import type { MetricRule } from '../../src/profiler/model/vm-profile.ts';
import { VmProfile } from '../../src/profiler/model/vm-profile.ts';

export const fixture = (name: string): string =>
  new URL(`../fixtures/profiler/${name}`, import.meta.url).pathname;

/** The measurements of the reference. */
export const reference: readonly (readonly number[])[] = readFileSync(fixture('input.csv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split(',').map(Number));

export const defaults: ProfileSettings = {
  states: 4,
  buffersize: 1,
  history: 1,
  filterStdDevs: -1,
  fixedBound: true,
  periodSize: [],
  phaseChangeLikeliness: 0,
  phaseChangeHistory: 1,
};

/** Metrics with bounds from 0 to 100, or with none that are known. */
export function rules(count: number, fixed = true): MetricRule[] {
  const bound = fixed ? { min: 0, max: 100 } : { min: undefined, max: undefined };
  return Array.from({ length: count }, (_, index) => ({ name: `metric_${index}`, ...bound }));
}

/** A profile of one metric, `metric_0`. */
export function profileOf(values: readonly number[], changes: Partial<ProfileSettings> = {}): VmProfile {
  const settings = { ...defaults, ...changes };
  const profile = new VmProfile(settings);
  for (const value of values) profile.put(rules(1, settings.fixedBound), [value]);
  return profile;
}

/** A sequence of states as values in the middle of four levels from 0 to 100. */
export function values(states: string): number[] {
  return states.split('').map((state) => Number(state) * 25);
}
