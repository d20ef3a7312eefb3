import { columns } from './catalogue.ts';
import type { Metric } from './catalogue.ts';
import { perScope } from './define.ts';
import type { PerScope, Scope } from './define.ts';

/** The largest sample of a metric in an interval. */
export interface Peak extends Metric {
  /** The metric whose largest value it is. */
  readonly of: Metric;
}

/**
 * The id of the largest sample of a metric; undefined for levels and rates, whose peaks say little. Not `_max`, as
 * `cpu_steal_max` is the vCPU that waits most.
 */
export function peakId({ id, kind, unit }: Pick<Metric, 'id' | 'kind' | 'unit'>): string | undefined {
  return kind === 'percent' || (kind === 'mean' && unit === 'ms') ? `${id}_peak` : undefined;
}

const peaks: PerScope<readonly Peak[]> = perScope((scope) => {
  const metrics = columns(scope);
  return metrics
    .flatMap((of) => {
      const id = peakId(of);
      return id === undefined ? [] : { of, id };
    })
    .map(({ of, id }, index) => ({
      ...of,
      id,
      of,
      title: `${of.title}^`,
      formula: `largest ${of.id} of the samples in the interval`,
      meaning: `The largest sample in the interval. ${of.meaning}`,
      original: undefined,
      counter: undefined,
      histogram: undefined,
      gauge: undefined,
      levels: undefined,
      levelsIn: undefined,
      causes: [],
      operations: [],
      slot: metrics.length + index,
    }));
});

/** The peaks of a scope; their slots in a row made for them are behind those of the metrics. */
export function peaksOf(scope: Scope): readonly Peak[] {
  return peaks[scope];
}
