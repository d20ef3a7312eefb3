import { columns, slots } from '../../catalogue/catalogue.ts';
import type { Metric } from '../../catalogue/catalogue.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Scope } from '../../catalogue/entities.ts';
import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { Part } from '../../catalogue/row-tree.ts';
import type { Thresholds } from '../../config/thresholds.ts';
import type { GuestIdentity } from '../../guests/guest.ts';
import { hostOf } from '../../recording/hosts.ts';
import type { WantedIds } from '../../history/line-reader.ts';
import type { GuestRows, Sample } from '../../sampling/sample.ts';
import { Figures, idsOf, measureOf } from './figures.ts';
import type { Measure } from './figures.ts';

const identity = slots('identity', 'vm');

/** Which guest, or which of its devices. */
export interface Subject {
  readonly guest: Readonly<GuestIdentity>;
  /** The host that it ran on; '' where its samples do not tell. */
  readonly node: string;
  /** Of two guests that share UUID and vmid: what tells them apart. */
  readonly pid: string | undefined;
  readonly device: string | undefined;
}

export interface RankedRow {
  readonly subject: Subject;
  readonly figures: Figures;
}

/** The guests or devices that have a metric, the worst ones first. */
export interface RankedTable {
  readonly measure: Measure;
  readonly rows: readonly RankedRow[];
  /** How many others have it; of these, how many had 0 all the time, which are never among the worst. */
  readonly others: number;
  readonly zeros: number;
}

/** What makes a guest worse than another one. */
export type Order = 'time' | 'mean' | 'max';

interface Kept {
  subject: Subject;
  readonly figures: Figures;
}

/** Follows one metric. */
class Column {
  readonly measure: Measure;
  readonly kept = new Map<string, Kept>();
  /** The list of its devices; undefined for a metric of guests themselves. */
  readonly part: Part | undefined;
  readonly device: number;

  constructor(metric: Metric, thresholds: Thresholds) {
    this.measure = measureOf(metric, thresholds);
    this.part = partsOf('vm').find(({ scope }) => scope === metric.scope);
    const [name] = entityOf(metric.scope).identity;
    this.device = columns(metric.scope).find(({ id }) => id === name)?.slot ?? -1;
  }
}

/** Finds the worst guests of a span by some metrics. It keeps some numbers for each guest or device, whatever the span. */
export class Ranking {
  /** How many guests were in a sample at most. */
  guests = 0;
  private readonly columns: readonly Column[];

  constructor(metrics: readonly Metric[], thresholds: Thresholds) {
    this.columns = metrics.map((metric) => new Column(metric, thresholds));
  }

  add(sample: Sample): void {
    const { guests } = sample;
    this.guests = Math.max(this.guests, guests.length);
    const node = hostOf(sample);
    for (const rows of guests) {
      const key = `${node}\0${keyOf(rows)}`;
      for (const column of this.columns) addTo(column, { rows, key, node }, sample);
    }
  }

  /** Ids of all that is looked at, by the scope of its rows. */
  get wanted(): WantedIds {
    const wanted: Partial<Record<Scope, Set<string>>> = {};
    for (const { measure } of this.columns)
      for (const id of idsOf(measure)) (wanted[measure.metric.scope] ??= new Set()).add(id);
    return wanted;
  }

  /** @param most rows of each table */
  tables(order: Order, most: number): readonly RankedTable[] {
    return this.columns.map(({ measure, kept }) => {
      const known = [...kept.values()].filter(({ figures }) => !Number.isNaN(figures.worst));
      const worth = known.filter(({ figures }) => measure.lowIsBad || figures.worst !== 0);
      const rows = worth.sort(comparison(measure, order)).slice(0, most);
      return { measure, rows, others: known.length - rows.length, zeros: known.length - worth.length };
    });
  }
}

/** A guest of a sample. */
interface Present {
  readonly rows: GuestRows;
  readonly key: string;
  readonly node: string;
}

function addTo(column: Column, guest: Present, { interval, time }: Sample): void {
  const { measure, part, device, kept } = column;
  const { rows, key } = guest;
  if (part === undefined) {
    followed(kept, guest, undefined).add(measure, rows.row, interval, time);
    return;
  }
  for (const row of rowsOf(rows, part)) {
    const name = row.texts[device] ?? '';
    followed(kept, { ...guest, key: `${key}\0${name}` }, name).add(measure, row, interval, time);
  }
}

/** The same guest after it was started again has the same key on its node; the pid tells twins apart. */
function keyOf({ guest, twin }: GuestRows): string {
  const { type, key, uuid, vmid, name } = guest;
  return twin ? key : [type, vmid ?? '', uuid, uuid === '' ? name : ''].join('\0');
}

function followed(
  kept: Map<string, Kept>,
  { rows: { guest, twin, row }, key, node }: Present,
  device: string | undefined,
): Figures {
  let found = kept.get(key);
  // Rows and identities of a sample are used again for the next one. It may have been renamed: the last name is the one to find it by.
  if (found?.subject.guest.name !== guest.name) {
    const pid = twin ? row.texts[identity.pid] : undefined;
    found = { subject: { guest: { ...guest }, node, pid, device }, figures: found?.figures ?? new Figures() };
    kept.set(key, found);
  }
  return found.figures;
}

function comparison({ lowIsBad, metric, thresholds }: Measure, order: Order) {
  const sign = lowIsBad ? -1 : 1;
  const byNumber = (a: number, b: number): number => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return sign * (b - a);
  };
  const byTime = order === 'time' && thresholds.has(metric.id);
  return ({ figures: a }: RankedRow, { figures: b }: RankedRow): number =>
    (byTime ? b.badSeconds - a.badSeconds || b.warnSeconds - a.warnSeconds : 0) ||
    (order === 'max' ? byNumber(a.worst, b.worst) : 0) ||
    byNumber(a.mean, b.mean) ||
    byNumber(a.worst, b.worst);
}
