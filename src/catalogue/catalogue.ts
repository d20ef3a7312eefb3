import type { Kind, MetricLine, Scope, Shown, Unit } from './define.ts';
import { scopes } from './define.ts';
import { meanings } from './meanings.ts';
import { agent } from './agent.ts';
import { cpu } from './cpu.ts';
import { disk } from './disk.ts';
import { host } from './host.ts';
import { identity } from './identity.ts';
import { io } from './io.ts';
import { mem } from './mem.ts';
import { net } from './net.ts';
import { pressure } from './pressure.ts';
import { profile } from './profile.ts';

/** Every metric is declared in exactly one of these tables; types, outputs and docs/metrics.md derive from them. */
const tables = { identity, cpu, mem, disk, net, io, pressure, host, profile, agent };
type Tables = typeof tables;

/** A table that a collector fills: all but the identity of rows and the agent's own figures, which are always there. */
export type CollectorName = Exclude<keyof Tables, 'identity' | 'agent'>;
/** One of them that reads what a host tells; the other judges what was read, and runs only in proxprofiler. */
export type MeasuringName = Exclude<CollectorName, 'profile'>;
export const collectorNames = Object.keys(tables).filter(
  (name): name is MeasuringName => name !== 'identity' && name !== 'agent' && name !== 'profile',
);

/** The ids that table T declares in scope S. */
export type MetricId<T extends keyof Tables, S extends Scope> = S extends keyof Tables[T]
  ? Tables[T][S] extends readonly MetricLine[]
    ? Tables[T][S][number][0]
    : never
  : never;

/** One metric, with the columns of the metrics contract. */
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
  /** How the value is made of what the source says. */
  readonly definition: string;
  /** What it tells, in plain words. */
  readonly meaning: string;
  /** Id, and where it differs unit, that the original program used; '' where it had none. */
  readonly original: string;
  /** What must be there for the metric to be known; '' where nothing special is needed. */
  readonly needs: string;
  /** Position in the rows of this scope. */
  readonly slot: number;
}

const byScope = new Map<Scope, Metric[]>(scopes.map((scope) => [scope, []]));
for (const [table, content] of Object.entries(tables)) {
  for (const [scope, lines] of Object.entries(content) as [Scope, readonly MetricLine[]][]) {
    const metrics = columns(scope);
    for (const [id, title, unit, kind, shown, source, definition, original, needs = ''] of lines) {
      const collector = table === 'identity' || table === 'agent' ? '-' : (table as CollectorName);
      const slot = metrics.length;
      (metrics as Metric[]).push({
        scope,
        collector,
        id,
        title,
        unit,
        kind,
        shown,
        source,
        definition,
        meaning: meanings[`${scope}.${id}`] ?? meanings[id] ?? definition,
        original,
        needs,
        slot,
      });
    }
  }
}

/** The metrics of a scope, in the order of their slots. */
export function columns(scope: Scope): readonly Metric[] {
  const metrics = byScope.get(scope);
  if (metrics === undefined) throw new RangeError(`no scope ${scope}`);
  return metrics;
}

/** Every metric, scope by scope. */
export const catalogue: readonly Metric[] = scopes.flatMap((scope) => columns(scope));

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
