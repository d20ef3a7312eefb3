import type { Scope } from './define.ts';
import { scopes } from './define.ts';
import type {
  Causes,
  CountUnit,
  CounterFacts,
  Declaration,
  DefaultLevels,
  HistogramFacts,
  Kind,
  Relation,
  Shown,
  Unit,
} from './metric.ts';
import type { Original } from './original.ts';
import { agent } from './metrics/agent.ts';
import { cpu } from './metrics/cpu/cpu.ts';
import { disk } from './metrics/disk/disk.ts';
import { energy } from './metrics/energy.ts';
import { host } from './metrics/host.ts';
import { identity } from './metrics/identity.ts';
import { io } from './metrics/io.ts';
import { mem } from './metrics/mem.ts';
import { net } from './metrics/net.ts';
import { pressure } from './metrics/pressure.ts';
import { profile } from './metrics/profile.ts';
import { sensors } from './metrics/sensors.ts';

/** Every metric is declared in exactly one of these tables; types, outputs and docs/metrics.md derive from them. */
const tables = { identity, cpu, mem, disk, net, io, pressure, host, sensors, energy, profile, agent };
type Tables = typeof tables;

/** A table that a collector fills. The identity of rows and the figures of the agent have none: they are always there. */
export type CollectorName = Exclude<keyof Tables, 'identity' | 'agent'>;
/** Those of collectors that read from the host. The other one judges their readings and runs only in proxprofiler. */
export type MeasuringName = Exclude<CollectorName, 'profile'>;
export const collectorNames = Object.keys(tables).filter(
  (name): name is MeasuringName => name !== 'identity' && name !== 'agent' && name !== 'profile',
);

/** The ids that table T declares in scope S. */
export type MetricId<T extends keyof Tables, S extends Scope> = S extends keyof Tables[T]
  ? Tables[T][S] extends readonly Declaration<infer Id>[]
    ? Id
    : never
  : never;

/** A cumulative count behind a metric. */
export interface Counter {
  /** Without scope and without `_total`; ends with the base unit where there is one. */
  readonly name: string;
  /** Of the numbers in `Row.counters`. */
  readonly unit: CountUnit;
  readonly shown: Shown;
  readonly counted: CounterFacts['counted'];
  /** What it counts, one line without a full stop. */
  readonly help: string;
  /** Labels that distinguish it from others of the same name. */
  readonly label: readonly [name: string, value: string] | undefined;
}

/** One metric of one scope, complete: what its declaration leaves out is filled in. */
export interface Metric {
  readonly scope: Scope;
  /** '-' for identities and the agent's own figures. */
  readonly collector: CollectorName | '-';
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly kind: Kind;
  readonly shown: Shown;
  readonly source: string;
  /** How the value is computed from the source; the meaning, where that says it. */
  readonly formula: string;
  /** Its meaning, in plain words. */
  readonly meaning: string;
  /** Undefined where the original program had none. */
  readonly original: Original | undefined;
  /** What the metric needs to be known; '' where it needs nothing special. */
  readonly needs: string;
  /** Source and formula for a container; '' where it has no such value, or the same. */
  readonly container: string;
  /** What it is the rate, the share or the mean of. */
  readonly counter: Counter | undefined;
  /**
   * The distribution that it is a quantile of; undefined for other metrics, and where another metric has that distribution.
   */
  readonly histogram: HistogramFacts | undefined;
  /** The base of its name as a gauge of Prometheus; undefined where it is none. */
  readonly gauge: string | undefined;
  /** What the configuration compares it with by default. */
  readonly levels: DefaultLevels | undefined;
  /** What levels are in; undefined where they are in its own unit. */
  readonly levelsIn: Relation | undefined;
  /** What usually makes it bad; empty where that is not known. */
  readonly causes: Causes;
  /** Of a mean or share over operations or packets, the ids of their rates. */
  readonly operations: readonly string[];
  /** Position in the rows of this scope. */
  readonly slot: number;
}

/** A metric with a counter. */
export type CountedMetric = Metric & { readonly counter: Counter };

/** Scopes whose rows have a device for their name: the original program had no such rows. */
const deviceScopes: ReadonlySet<string> = new Set(
  Object.entries(identity)
    .filter(([, metrics]) => metrics.some(({ id }) => id === 'device'))
    .map(([scope]) => scope),
);

const byScope = new Map<Scope, Metric[]>(scopes.map((scope) => [scope, []]));
const inOrder: Metric[] = [];
for (const [table, content] of Object.entries(tables)) {
  const collector = table === 'identity' || table === 'agent' ? '-' : (table as CollectorName);
  for (const [scope, declarations] of Object.entries(content) as [Scope, readonly Declaration[]][]) {
    const metrics = columns(scope) as Metric[];
    for (const declared of declarations) {
      const metric = complete(declared, scope, collector, metrics.length);
      metrics.push(metric);
      inOrder.push(metric);
    }
  }
}

function complete(declared: Declaration, scope: Scope, collector: Metric['collector'], slot: number): Metric {
  const { id, title, unit, kind, source, meaning, formula = meaning } = declared;
  const { needs = '', container = '' } = declared;
  const { levels, levelsIn, causes = [], operations = [], histogram } = declared;
  const shown: Shown = declared.shown ?? 'default';
  const original = deviceScopes.has(scope) ? undefined : declared.original;
  const counter = counterOf(declared);
  const gauge = gaugeOf(declared);
  const facts = { title, unit, kind, shown, source, formula, meaning, original, needs, container };
  const judged = { levels, levelsIn, causes };
  return { scope, collector, id, ...facts, counter, histogram, gauge, ...judged, operations, slot };
}

function counterOf({ id, counter }: Declaration): Counter | undefined {
  if (counter === undefined || 'none' in counter) return undefined;
  const { name = id, unit, shown = 'default', counted, help, label } = counter;
  return { name, unit, shown, counted, help, label };
}

function gaugeOf({ id, kind, counter, prometheus }: Declaration): string | undefined {
  if (typeof prometheus === 'object') return prometheus.name;
  const is =
    prometheus === 'gauge' || (prometheus === undefined && kind === 'gauge' && counter === undefined);
  return is ? id : undefined;
}

/** The metrics of a scope, in the order of their slots. */
export function columns(scope: Scope): readonly Metric[] {
  const metrics = byScope.get(scope);
  if (metrics === undefined) throw new RangeError(`no scope ${scope}`);
  return metrics;
}

/** Those of them that have a counter. */
export function countedColumns(scope: Scope): readonly CountedMetric[] {
  return columns(scope).filter((metric): metric is CountedMetric => metric.counter !== undefined);
}

/** Every metric, scope by scope. */
export const catalogue: readonly Metric[] = scopes.flatMap((scope) => columns(scope));

/** Every metric, collector by collector, as they are declared. */
export const byCollector: readonly Metric[] = inOrder;

/**
 * The slots that table T owns in rows of scope S, by id. Its type holds the declared ids and no other, so that code
 * which sets an undeclared metric, or one of another collector, does not compile.
 */
export function slots<T extends keyof Tables, S extends Scope>(
  table: T,
  scope: S,
): Readonly<Record<MetricId<T, S>, number>> {
  const owner = table === 'identity' || table === 'agent' ? '-' : table;
  const own = columns(scope).filter((metric) => metric.collector === owner);
  return Object.fromEntries(own.map(({ id, slot }) => [id, slot])) as Record<MetricId<T, S>, number>;
}
