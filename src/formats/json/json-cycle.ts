import { perScope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { RootScope } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { AnyRowTree } from '../../catalogue/row-tree.ts';
import type { Sample } from '../../sampling/sample.ts';
import { ByteWriter } from '../byte-writer.ts';
import { PerCollectors, printedColumns } from '../columns.ts';
import { closeObject, jsonRows, quote, writeSampleMembers } from './json.ts';
import type { JsonRow, JsonRows } from './json.ts';
import type { Printer, PrinterSettings } from '../printer.ts';
import { TextCache } from '../text-cache.ts';

const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

const endOfLine = Buffer.from('\n');

/** The keys of what stands in a line, by scope: `,"host":`. */
const keys = perScope((scope) => Buffer.from(`,"${entityOf(scope).member}":`));

/**
 * One line a sample: a JSON object with the host (and its disks and NICs), the VMs as `domains` (and their vCPUs,
 * disks and NICs) and the agent with its outputs; no agent under the original's names, which had none.
 */
export class JsonCyclePrinter implements Printer {
  private readonly out = new ByteWriter();
  private readonly quoted = new TextCache(quote);
  private readonly devices: boolean;
  private readonly rows: PerCollectors<JsonRows>;

  constructor(settings: PrinterSettings) {
    this.devices = settings.devices;
    this.rows = new PerCollectors((collectors) =>
      jsonRows((scope) => printedColumns(scope, settings, collectors), this.quoted),
    );
  }

  print(sample: Sample): readonly Buffer[] {
    const out = this.out;
    const rows = this.rows.get(sample.collectors);
    writeSampleMembers(out, sample, this.quoted);
    out.append(keys.host);
    this.tree(rows, 'host', sample.host, sample.interval);
    out.append(keys.vm);
    out.byte(OPEN_ARRAY);
    let first = true;
    for (const vm of sample.guests) {
      if (!first) out.byte(COMMA);
      first = false;
      this.tree(rows, 'vm', vm, sample.interval);
    }
    out.byte(CLOSE_ARRAY);
    if (!rows.agent.empty) {
      out.append(keys.agent);
      this.tree(rows, 'agent', sample.agent, sample.interval);
    }
    closeObject(out, 0);
    out.append(endOfLine);
    return [out.take()];
  }

  /** Writes the object of a row, with the rows of its parts in arrays. */
  private tree(rows: JsonRows, root: RootScope, tree: AnyRowTree, interval: number): void {
    const begin = this.out.length;
    rows[root].write(this.out, tree.row, interval);
    for (const part of partsOf(root)) {
      if (part.isDevice && !this.devices) continue;
      this.out.append(keys[part.scope]);
      this.array(rows[part.scope], rowsOf(tree, part), interval);
    }
    closeObject(this.out, begin);
  }

  private array(writer: JsonRow, rows: readonly Row[], interval: number): void {
    this.out.byte(OPEN_ARRAY);
    let first = true;
    for (const row of rows) {
      if (!first) this.out.byte(COMMA);
      first = false;
      this.object(writer, row, interval);
    }
    this.out.byte(CLOSE_ARRAY);
  }

  private object(writer: JsonRow, row: Row, interval: number): void {
    const begin = this.out.length;
    writer.write(this.out, row, interval);
    closeObject(this.out, begin);
  }
}
