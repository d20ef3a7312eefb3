/** What of a VM can be profiled, by the name its matrix has in a profile. */
export const inputNames = ['cpu', 'net', 'io', 'mem', 'disk'] as const;
export type InputName = (typeof inputNames)[number];

/** How a profile is made; every number of it depends on these. */
export interface ProfileSettings {
  /** Load levels that a metric is divided into, 2 or more. */
  readonly states: number;
  /** Inputs that make one period. */
  readonly buffersize: number;
  /** States that a transition starts from, 1 to 6. */
  readonly history: number;
  /** Standard deviations from the running mean beyond which an input is left out; -1 for none. */
  readonly filterStdDevs: number;
  /** Whether the bounds of the levels are given; else they grow with what is seen. */
  readonly fixedBound: boolean;
  /** Children at each depth of the period tree, then the periods of a leaf; empty for no tree. */
  readonly periodSize: readonly number[];
  /** Mean likeliness, 0 to 1, below which the phase changes; 0 for no phases. */
  readonly phaseChangeLikeliness: number;
  /** Transitions that this mean runs over. */
  readonly phaseChangeHistory: number;
}

/** Upper bounds with fixed bounds, in bytes per second; undefined where nobody gave one. */
export interface Limits {
  readonly net: number | undefined;
  readonly io: number | undefined;
}

/** Everything that proxprofiler needs to know besides what proxtop's settings say. */
export interface ProfilerSettings {
  readonly profile: ProfileSettings;
  /** What to profile; undefined for the usual: cpu, net and io, or all columns of a CSV file. */
  readonly metrics: readonly InputName[] | undefined;
  readonly limits: Limits;
  /** Seconds between two lines of a VM. */
  readonly outputFreq: number;
}
