import { columns } from '../../../src/catalogue/catalogue.ts';
import type { Metric } from '../../../src/catalogue/catalogue.ts';
import type { Scope } from '../../../src/catalogue/define.ts';
import { families } from '../../../src/formats/prometheus/families.ts';

/** A metric of the catalogue. Throws where there is none: a dashboard must not query what is never written. */
export function metric(scope: Scope, id: string): Metric {
  const found = columns(scope).find((each) => each.id === id);
  if (found === undefined) throw new RangeError(`no ${id} in ${scope}`);
  return found;
}

/** The name under which Prometheus has the counter behind a metric, or the level that it is. Throws where it has none. */
export function sampleOf(scope: Scope, id: string): string {
  const wanted = metric(scope, id);
  const family = families.find(({ sources }) => sources.some((source) => source.metric === wanted));
  if (family === undefined) throw new RangeError(`${id} in ${scope} is not published`);
  return family.type === 'counter' ? `${family.name}_total` : family.name;
}
