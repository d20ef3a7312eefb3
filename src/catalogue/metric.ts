import type { Scope } from './define.ts';
import type { Original } from './original.ts';
import type { Unit } from './units.ts';

export type { Unit };

/**
 * gauge: a level now, or a count since the start; rate: per second over the interval; percent: 0..100; mean: over the
 * interval, or over the time that the kernel says; text: an identity.
 */
export type Kind = 'gauge' | 'rate' | 'percent' | 'mean' | 'text';

/** Whether a metric is shown always or only with `--verbose`. */
export type Shown = 'default' | 'verbose';

/** What one count of a reading is, in a base unit: a power of ten of it, or so many of it. */
export type CountUnit = 'one' | 'bytes' | 'sectors' | 'ns' | 'us' | 'ms' | 'ticks' | 'uj';

/**
 * Since when a counter counts. reading: the kernel or QEMU counts it, since the host or the process started; added: we add up what
 * comes and goes, since we saw the host or the guest first; parts: a reading of each part (vCPU, disk, NIC), and in the row of the
 * whole added up.
 */
export type Counted = 'reading' | 'added' | 'parts';

/** The cumulative count that a metric is the rate, the share or the mean of: what Prometheus gets. */
export interface CounterFacts {
  /** Without scope and without `_total`; ends with the base unit where there is one. Left out: the id of the metric. */
  readonly name?: string;
  /** Of the numbers in `Row.counters`. */
  readonly unit: CountUnit;
  readonly shown?: 'verbose';
  /** Where a container has it in another way than a VM, one for each. */
  readonly counted: Counted | { readonly vm: Counted; readonly container: Counted };
  /** What it counts, one line without a full stop. */
  readonly help: string;
  /** Labels that distinguish it from others of the same name. */
  readonly label?: readonly [name: string, value: string];
}

/** A rate that comes without a counter says why. */
export interface NoCounter {
  readonly none: string;
}

/** The distribution that a metric is a quantile of: what Prometheus gets, as `Row.histograms` has it. */
export interface HistogramFacts {
  /** Without scope; ends with the base unit, that of the metric. */
  readonly name: string;
  /** What it counts, one line without a full stop. */
  readonly help: string;
}

/** What a metric is compared as, if its plain value says too little: its share of another metric of the row. */
export interface Relation {
  /** Metric of the same row. */
  readonly to: string;
  /** 100 for a percentage, 1 for a plain ratio. */
  readonly scale: number;
  /** What a level then is, in words. */
  readonly unit: string;
}

type Level = `${number}` | `${number}${'K' | 'M' | 'G'}`;
/** `warn/bad` or `bad`, as in the section [thresholds] of the configuration. */
export type DefaultLevels = Level | `${Level}/${Level}`;

/** What usually makes a value bad and what helps, the likeliest first. */
export type Causes = readonly string[];

/**
 * Levels from which a value is bad. They and the causes apply to an id in all its scopes, so they are written once. A
 * metric with levels has causes.
 */
export type Judged = {
  /** What the levels are in, where they are not in the unit of the metric. */
  readonly levelsIn?: Relation;
} & (
  | {
      /**
       * The default levels. Those of time waited for a CPU, limits, latencies, drops, memory swapped out and free memory
       * are the usual ones of esxtop.
       */
      readonly levels: DefaultLevels;
      readonly causes: Causes;
    }
  | { readonly levels?: undefined; readonly causes?: Causes }
);

/** What is said of every metric. */
interface Facts {
  /** Its heading in tables. */
  readonly title: string;
  /** The file, answer or program that the value comes from. */
  readonly source: string;
  /** Its meaning, in plain words. */
  readonly meaning: string;
  /** How the value is computed from the source; '' where it is the value of the source. Left out: the meaning says it. */
  readonly formula?: string;
  /** Left out: shown always. */
  readonly shown?: 'verbose';
  /** Left out: the original program had none; it had no rows of devices. */
  readonly original?: Original | undefined;
  /** What the metric needs to be known. Left out: nothing special. */
  readonly needs?: string;
  /** Source and formula where a container has it too, and these differ. */
  readonly container?: string;
}

interface TextFacts extends Facts {
  readonly levels?: never;
  readonly causes?: never;
  readonly counter?: never;
}

/**
 * What Prometheus gets beside counters. Left out: a gauge of that id, if the metric is one and has no counter. gauge: one
 * although it is a mean or a percentage, because no counter yields it; nothing: it is the sum of other metrics that are
 * published; a name: a gauge whose id would be misleading or unclear as a name.
 */
export type InPrometheus = 'gauge' | 'nothing' | { readonly name: string };

type PercentFacts = Facts &
  Judged & {
    readonly counter?: CounterFacts | NoCounter;
    readonly prometheus?: InPrometheus;
    /** The rates, of the same row, of the operations or packets that it is a mean or share over: not known while there are none. */
    readonly operations?: readonly string[];
  };
type NumberFacts = PercentFacts & { readonly unit: Exclude<Unit, '-' | 'percent'> };
type RateFacts = NumberFacts & { readonly counter: CounterFacts | NoCounter };
type MeanFacts = NumberFacts & { readonly histogram?: HistogramFacts };

/** A metric as the file of its collector declares it. */
export interface Declaration<Id extends string = string> extends Facts {
  readonly id: Id;
  readonly kind: Kind;
  readonly unit: Unit;
  readonly counter?: CounterFacts | NoCounter;
  readonly levels?: DefaultLevels | undefined;
  readonly levelsIn?: Relation;
  readonly causes?: Causes;
  readonly prometheus?: InPrometheus;
  readonly operations?: readonly string[];
  readonly histogram?: HistogramFacts;
}

/** The metrics of one collector, by scope; their order is that of the columns. */
export type MetricTable = { readonly [S in Scope]?: readonly Declaration[] };

/** An identity, a name, a state. */
export function text<Id extends string>(id: Id, facts: TextFacts): Declaration<Id> {
  return { id, kind: 'text', unit: '-', ...facts };
}

/** A level now, or a count since the start. */
export function gauge<Id extends string>(id: Id, facts: NumberFacts): Declaration<Id> {
  return { id, kind: 'gauge', ...facts };
}

/** What a counter grew by, per second over the interval. */
export function rate<Id extends string>(id: Id, facts: RateFacts): Declaration<Id> {
  return { id, kind: 'rate', ...facts };
}

/** 0..100, over the interval or, where the formula says so, of a whole. */
export function percent<Id extends string>(id: Id, facts: PercentFacts): Declaration<Id> {
  return { id, kind: 'percent', unit: 'percent', ...facts };
}

/** Over the interval, or over the time that the kernel says. */
export function mean<Id extends string>(id: Id, facts: MeanFacts): Declaration<Id> {
  return { id, kind: 'mean', ...facts };
}
