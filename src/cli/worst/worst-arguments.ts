import type { Metric } from '../../catalogue/catalogue.ts';
import { parseGiven } from '../../config/layers/given.ts';
import type { Given } from '../../config/layers/given.ts';
import { choice, integer, names } from '../../config/values.ts';
import type { ValueType } from '../../config/values.ts';
import { flags } from '../arguments/flags.ts';
import type { Flag } from '../arguments/flags.ts';
import type { Program } from '../arguments/parse-flags.ts';
import { spanFlags } from '../arguments/span-arguments.ts';
import { rankedMetric, usualMetrics } from './ranked-metrics.ts';

const orders = ['time', 'mean', 'max'] as const;
const formats = ['text', 'json', 'csv'] as const;

/** What `proxtop worst` is to print. */
export interface WorstRequest {
  /** A table for each, of guests or of one kind of their devices. */
  readonly metrics: readonly Metric[];
  /** Rows of a table at most. */
  readonly limit: number;
  /** What the first row has most of: time at or above its levels, the mean, the largest sample. */
  readonly order: (typeof orders)[number];
  readonly format: (typeof formats)[number];
  readonly include: readonly string[] | undefined;
  readonly exclude: readonly string[] | undefined;
}

const own = { aliases: [], group: 'What to measure', hidden: false } as const;

/** The flags that only this command takes. */
export const worstFlags: readonly Flag[] = [
  {
    ...own,
    name: 'by',
    placeholder: 'METRICS',
    help: 'metrics of guests or their devices, by id or heading; one table each',
    otherwise: usualMetrics,
  },
  {
    ...own,
    name: 'limit',
    aliases: ['n'],
    placeholder: 'N',
    help: 'maximum rows per table',
    otherwise: '10',
  },
  {
    ...own,
    name: 'sort',
    placeholder: orders.join('|'),
    help: 'sort key: time at or above the red, then the yellow threshold, mean over the span, or largest sample',
    otherwise: 'time, or mean if the metric has no threshold',
  },
  { ...own, name: 'devices', help: 'rank vCPUs, disks and NICs, for metrics that they have' },
  {
    ...own,
    name: 'include',
    placeholder: 'GUESTS',
    help: 'only these guests: names with * and ?, vmids, UUIDs, tag:TAG, type:lxc',
  },
  { ...own, name: 'exclude', placeholder: 'GUESTS', help: 'leave out these guests; same patterns' },
  {
    ...own,
    group: 'Where to send it',
    name: 'printer',
    aliases: ['p'],
    placeholder: formats.join('|'),
    help: 'format on standard output',
    otherwise: 'text',
  },
];

const shared = ['replay', 'state-dir', 'config', 'help'];
const times = ['from', 'to'];

/** `proxtop worst` with every flag it takes. */
export const worstProgram: Program = {
  name: 'proxtop worst',
  usage: ['proxtop worst [FLAG]...'],
  flags: [
    ...worstFlags,
    ...flags.filter(({ name }) => shared.includes(name)),
    ...spanFlags.filter(({ name }) => times.includes(name)),
  ],
};

export function parseWorstRequest(given: ReadonlyMap<string, Given>): WorstRequest {
  const read = <T>(name: string, type: ValueType<T>): T | undefined => {
    const value = given.get(name);
    return value && parseGiven(value, (text) => type.parse(text));
  };
  const devices = given.has('devices');
  const by = given.get('by') ?? { text: usualMetrics, origin: 'default of --by' };
  const metrics = parseGiven(by, (text) => names.parse(text)).map((word) =>
    parseGiven({ ...by, text: word }, (text) => rankedMetric(text, devices)),
  );
  return {
    metrics: [...new Set(metrics)],
    limit: read('limit', integer(1, 100_000)) ?? 10,
    order: read('sort', choice(orders)) ?? 'time',
    format: read('printer', choice(formats)) ?? 'text',
    include: read('include', names),
    exclude: read('exclude', names),
  };
}
