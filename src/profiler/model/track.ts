import type { BoundRule, Bounds } from './levels.ts';
import { centreOf, grow, levelOf } from './levels.ts';
import type { ProfileSettings } from '../settings.ts';
import type { Statistics, Summary } from './statistics.ts';
import { isOutlier, summarize } from './statistics.ts';

/** What is remembered of one metric from input to input: plain data, so that it can be saved. */
export interface Track {
  /** Inputs of the period under way. */
  readonly buffer: number[];
  /** Of the levels; null before the first period. */
  bounds: Bounds | null;
  /** The last states, oldest first; state 0 stands for those before the first. */
  history: number[];
  /** Number and sum of the period means that each level holds. */
  readonly held: { count: number; sum: number }[];
}

/** A period that is complete. */
interface Period {
  readonly summary: Summary;
  /** States before it. */
  readonly history: readonly number[];
  readonly level: number;
  /** The new level by old level, where the bounds grew; the history is in new levels. */
  readonly moved: readonly number[] | undefined;
}

export function newTrack({ states, history }: ProfileSettings): Track {
  return {
    buffer: [],
    bounds: null,
    history: new Array<number>(history).fill(0),
    held: Array.from({ length: states }, () => ({ count: 0, sum: 0 })),
  };
}

/** Takes an input, unless it is an outlier. */
export function takeInput(track: Track, value: number, settings: ProfileSettings, stats: Statistics): void {
  if (!isOutlier(value, stats, settings.filterStdDevs)) track.buffer.push(value);
}

/** Makes a period of the buffer and empties it; undefined when nothing was in it. */
export function endPeriod(
  track: Track,
  rule: BoundRule,
  { states }: ProfileSettings,
  stats: Statistics,
): Period | undefined {
  if (track.buffer.length === 0) return undefined;
  const summary = summarize(track.buffer, stats.avg);
  track.buffer.length = 0;
  const moved = growBounds(track, rule, summary, states);
  const bounds = track.bounds ?? summary;
  const level = levelOf(summary.mean, bounds, states);
  const held = track.held[level];
  if (held !== undefined) {
    held.count++;
    held.sum += summary.mean;
  }
  const { history } = track;
  track.history = [...history.slice(1), level];
  return { summary, history, level, moved };
}

/**
 * Widens the bounds and moves what was counted. A level goes to where the mean of what it holds belongs, not its
 * centre: with bounds that grow in small steps a centre would grow along with them and never leave its level.
 */
function growBounds(track: Track, rule: BoundRule, summary: Summary, states: number): number[] | undefined {
  const before = track.bounds;
  const bounds = grow(before, rule, summary);
  if (before !== null && bounds.min === before.min && bounds.max === before.max) return undefined;
  track.bounds = bounds;
  if (before === null) return undefined;
  const moved = track.held.map(({ count, sum }, level) =>
    levelOf(count > 0 ? sum / count : centreOf(level, before, states), bounds, states),
  );
  if (moved.every((to, from) => to === from)) return undefined;
  const old = track.held.map((held) => ({ ...held }));
  for (const held of track.held) held.count = held.sum = 0;
  for (const [from, { count, sum }] of old.entries()) {
    const target = track.held[moved[from] ?? 0];
    if (target === undefined) continue;
    target.count += count;
    target.sum += sum;
  }
  track.history = track.history.map((level) => moved[level] ?? 0);
  return moved;
}
