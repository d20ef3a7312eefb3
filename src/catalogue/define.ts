import { entities } from './entities.ts';
import type { Scope } from './entities.ts';

export type { Scope };

/** Every scope, in the order of the catalogue. */
export const scopes = Object.keys(entities) as readonly Scope[];

/** Something for each scope. */
export type PerScope<T> = Readonly<Record<Scope, T>>;

/** Makes something for each scope. */
export function perScope<T>(make: (scope: Scope) => T): PerScope<T> {
  return Object.fromEntries(scopes.map((scope) => [scope, make(scope)])) as PerScope<T>;
}

/** The closed list of units. Numbers are always in exactly this unit; text has none (`-`). */
export const units = [
  '-',
  'count',
  'percent',
  'ratio',
  'bytes',
  'bytes per second',
  'MiB per second',
  'megabit per second',
  'per second',
  'seconds',
  'ms',
  'ms per second',
  'us per second',
  'MHz',
] as const;
export type Unit = (typeof units)[number];

/**
 * gauge: a level now, or a count since the start; rate: per second over the interval; percent: 0..100; mean: over the
 * interval, or over the time that the kernel says; text: an identity.
 */
export type Kind = 'gauge' | 'rate' | 'percent' | 'mean' | 'text';

/** Whether a metric is shown always or only with `--verbose`. */
export type Shown = 'default' | 'verbose';

/**
 * One line of a metric table: id, title, unit, kind, shown, source, definition, the id and unit of the original
 * program ('' where it had none), and the capability without which the metric is omitted (where there is one).
 */
export type MetricLine = readonly [
  id: string,
  title: string,
  unit: Unit,
  kind: Kind,
  shown: Shown,
  source: string,
  definition: string,
  original: string,
  needs?: string,
];

/** The metrics of one collector, by scope. */
export type MetricTable = { readonly [S in Scope]?: readonly MetricLine[] };
