import { Packr } from 'msgpackr/pack';
import { perScope } from '../catalogue/define.ts';
import type { Scope } from '../catalogue/define.ts';
import { entities } from '../catalogue/entities.ts';
import type { RootScope } from '../catalogue/entities.ts';
import type { Row } from '../catalogue/row.ts';
import { partsOf, rowsOf } from '../catalogue/row-tree.ts';
import type { AnyRowTree } from '../catalogue/row-tree.ts';
import type { Sample } from '../sampling/sample.ts';
import { PerCollectors, identityColumns, printedColumns } from './shared/columns.ts';
import type { Column } from './shared/names.ts';
import { bounded, wellFormed } from '../base/strings/printable.ts';
import type { Printer, PrinterSettings } from './printer.ts';
import { eachRow } from './shared/rows.ts';

type Members = Record<string, unknown>;
type Columns = Readonly<Record<Scope, readonly Column[]>>;

/**
 * The objects of the JSON printer, in both layouts, as MessagePack: one map after the other, with no separator, for each
 * tells its own length. Numbers that are whole come as integers, as JSON has no other either.
 */
export class MsgpackPrinter implements Printer {
  // Plain maps with strings for keys, which every reader knows, instead of msgpackr's own records.
  private readonly packr = new Packr({ useRecords: false });
  private readonly settings: PrinterSettings;
  private readonly hostIdentity: readonly Column[];
  private readonly vmIdentity: readonly Column[];
  private readonly columns: PerCollectors<Columns>;

  constructor(settings: PrinterSettings) {
    this.settings = settings;
    this.hostIdentity = identityColumns('host', settings);
    this.vmIdentity = identityColumns('vm', settings);
    this.columns = new PerCollectors((collectors) =>
      perScope((scope) => printedColumns(scope, settings, collectors)),
    );
  }

  print(sample: Sample): readonly Buffer[] {
    const columns = this.columns.get(sample.collectors);
    const objects =
      this.settings.layout === 'cycle' ? [this.cycle(sample, columns)] : this.events(sample, columns);
    return objects.map((object) => this.packr.pack(object));
  }

  private cycle(sample: Sample, columns: Columns): Members {
    const { host, guests, agent, interval } = sample;
    const cycle = head(sample);
    cycle[entities.host.member] = this.tree(columns, 'host', host, interval);
    cycle[entities.vm.member] = guests.map((vm) => this.tree(columns, 'vm', vm, interval));
    if (columns.agent.length > 0) cycle[entities.agent.member] = this.tree(columns, 'agent', agent, interval);
    return cycle;
  }

  /** The object of a row, with those of the rows of its parts in arrays. */
  private tree(columns: Columns, root: RootScope, tree: AnyRowTree, interval: number): Members {
    const object = members({}, columns[root], tree.row, interval);
    for (const part of partsOf(root)) {
      if (part.isDevice && !this.settings.devices) continue;
      object[part.list] = rowsOf(tree, part).map((row) => members({}, columns[part.scope], row, interval));
    }
    return object;
  }

  private events(sample: Sample, columns: Columns): Members[] {
    const { interval, run, seq, host } = sample;
    const events: Members[] = [];
    const common = members(head(sample), this.hostIdentity, host.row, interval);
    eachRow(sample, this.settings.devices, (row, vm) => {
      if (columns[row.scope].length === 0) return;
      const event: Members = { type: row.scope, ...common, event_id: `${run}-${seq}-${events.length + 1}` };
      if (vm !== undefined) members(event, this.vmIdentity, vm, interval);
      events.push(members(event, columns[row.scope], row, interval));
    });
    return events;
  }
}

/** What stands before all else in the object of a sample. */
export function head({ time, run, seq, interval }: Sample): Members {
  const known = Number.isFinite(interval) ? { interval: Math.round(interval * 1000) / 1000 } : {};
  return { '@timestamp': new Date(time).toISOString(), schema: 1, run, seq, ...known };
}

/** Adds to an object what is known of a row. */
function members(
  object: Members,
  columns: readonly Column[],
  { values, texts }: Row,
  interval: number,
): Members {
  for (const { id, text, slot, read } of columns) {
    if (text) {
      const value = texts[slot];
      if (value !== undefined) object[id] = wellFormed(bounded(value));
    } else {
      const value = read === undefined ? (values[slot] ?? NaN) : read(values, interval);
      if (Number.isFinite(value)) object[id] = value;
    }
  }
  return object;
}
