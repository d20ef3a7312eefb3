import { byCollector, catalogue } from '../catalogue/catalogue.ts';
import type { Relation, Unit } from '../catalogue/metric.ts';
import { parseGiven } from './layers/given.ts';
import type { GivenMap } from './layers/given.ts';
import { refuse } from './values.ts';
import type { Refusal } from './values.ts';

/**
 * Levels from which a value is a warning and bad, in the unit of the metric. If the first is the larger one, small values
 * are bad.
 */
export interface Levels {
  /** NaN where only one level was given: there is no warning then. */
  readonly warn: number;
  readonly bad: number;
}

/** By the id of a metric, for all scopes that have it. */
export type Thresholds = ReadonlyMap<string, Levels>;

/** Metrics whose levels are not in their own unit, by id. */
export const relations: ReadonlyMap<string, Relation> = new Map(
  catalogue.flatMap(({ id, levelsIn }) => (levelsIn === undefined ? [] : [[id, levelsIn]])),
);

/** Units of the metrics that can have levels, by id: all numbers of VMs and hosts. */
const units: ReadonlyMap<string, Unit> = new Map(
  catalogue
    .filter(({ scope, kind }) => kind !== 'text' && !scope.startsWith('agent'))
    .map(({ id, unit }) => [id, unit]),
);

/** The keys of [thresholds]. */
export const thresholdKeys: readonly string[] = [...units.keys()];

/** The unit of a metric's levels, in words. */
export function levelUnit(id: string): string {
  return relations.get(id)?.unit ?? units.get(id) ?? '';
}

/**
 * The levels that hold where the file says nothing, by id, as the catalogue declares them. Documents list them in this
 * order: collector by collector, those of one unit together.
 */
export const defaultThresholds: Readonly<Record<string, string>> = Object.fromEntries(byUnit());

function byUnit(): (readonly [id: string, levels: string])[] {
  const groups = new Map<string, (readonly [id: string, levels: string])[]>();
  for (const { collector, id, levels } of byCollector) {
    if (levels === undefined) continue;
    const name = `${collector} ${levelUnit(id)}`;
    groups.set(name, [...(groups.get(name) ?? []), [id, levels]]);
  }
  return [...groups.values()].flat();
}

/** Reads what [thresholds] says, over the defaults. Throws a ConfigError. */
export function resolveThresholds(given: GivenMap): Thresholds {
  const thresholds = new Map<string, Levels>();
  const written = new Map(
    Object.entries(defaultThresholds).map(([id, text]) => [id, { text, origin: `default of ${id}` }]),
  );
  for (const [id, value] of [...written, ...given]) {
    const levels = parseGiven(value, (text) => parseLevels(text, levelUnit(id)));
    if (levels === 'off') thresholds.delete(id);
    else thresholds.set(id, levels);
  }
  return thresholds;
}

const multiples: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Reads `warn/bad`, `bad` or `off`; sizes may end in K, M or G. */
function parseLevels(text: string, unit: string): Levels | 'off' | Refusal {
  if (text === 'off') return 'off';
  const sizes = unit.startsWith('bytes');
  const pattern = sizes ? /^(\d+(?:\.\d+)?)([KMG]?)$/i : /^(\d+(?:\.\d+)?)()$/;
  const numbers = text.split('/').map((part) => {
    const [, digits, multiple = ''] = pattern.exec(part.trim()) ?? [];
    return Number(digits) * (multiples[multiple.toUpperCase()] ?? NaN);
  });
  const [first = NaN, second = first] = numbers;
  if (numbers.length > 2 || numbers.some(Number.isNaN) || (numbers.length === 2 && first === second)) {
    const example = sizes ? '1M/1G' : '5/10';
    return refuse(text, `warn/bad (${unit}) such as ${example}, one level for bad alone, or off`);
  }
  return { warn: numbers.length === 2 ? first : NaN, bad: second };
}
