import { catalogue } from '../catalogue/catalogue.ts';
import type { Unit } from '../catalogue/metric.ts';
import { parseGiven } from './given.ts';
import type { GivenMap } from './given.ts';
import { refuse } from './values.ts';
import type { Refusal } from './values.ts';

/**
 * From where on a value is a warning, and from where on it is bad, in the unit of the metric. Where the first is the
 * larger one, small values are the bad ones.
 */
export interface Levels {
  /** NaN where only one level was given: there is no warning then. */
  readonly warn: number;
  readonly bad: number;
}

/** By the id of a metric, for all scopes that have it. */
export type Thresholds = ReadonlyMap<string, Levels>;

/** What a metric is compared as, where its plain value says too little: in so many parts of another of its row. */
export interface Relation {
  /** Metric of the same row. */
  readonly to: string;
  /** 100 for a percentage, 1 for a plain ratio. */
  readonly scale: number;
  /** What a level then is, in words. */
  readonly unit: string;
}

const ofMemory: Relation = { to: 'ram_total', scale: 100, unit: 'percent of ram_total' };
const ofCores: Relation = { to: 'cpu_cores', scale: 1, unit: 'per CPU of the host' };

/** Metrics whose levels are not in their own unit. */
export const relations: Readonly<Record<string, Relation>> = {
  ram_available: ofMemory,
  cpu_load1: ofCores,
  cpu_load5: ofCores,
  cpu_load15: ofCores,
};

/**
 * The levels that hold where the file says nothing. Time waited for a CPU, limits, latencies, drops, memory swapped out
 * and the last level of free memory are those of esxtop's users; pressure, which ESX does not have, is our own choice.
 */
export const defaultThresholds: Readonly<Record<string, string>> = {
  cpu_steal: '5/10',
  cpu_throttled: '1',
  cpu_load1: '1/2',
  cpu_load5: '1/2',
  cpu_load15: '1/2',
  ram_swap: '1/1M',
  ram_available: '10/4',
  disk_lat_rd: '15/25',
  disk_lat_wr: '15/25',
  disk_lat_fl: '15/25',
  disk_lat_avg: '15/25',
  disk_await: '15/25',
  disk_errors: '1',
  net_rx_drop_percent: '1',
  net_tx_drop_percent: '1',
  ...pressure('some_cpu', '10/25'),
  ...pressure('some_io', '10/25'),
  ...pressure('full_io', '5/10'),
  ...pressure('some_mem', '5/10'),
  ...pressure('full_mem', '1/5'),
};

/** The three means of one line of a pressure file. */
function pressure(line: string, levels: string): Record<string, string> {
  return Object.fromEntries([10, 60, 300].map((span) => [`psi_${line}_avg${span}`, levels]));
}

/** Units of the metrics that can have levels, by id: all numbers of VMs and hosts. */
const units: ReadonlyMap<string, Unit> = new Map(
  catalogue
    .filter(({ scope, kind }) => kind !== 'text' && !scope.startsWith('agent'))
    .map(({ id, unit }) => [id, unit]),
);

/** The keys of [thresholds]. */
export const thresholdKeys: readonly string[] = [...units.keys()];

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

/** The unit of a metric's levels, in words. */
export function levelUnit(id: string): string {
  return relations[id]?.unit ?? units.get(id) ?? '';
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
