import { perScope } from '../../catalogue/define.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { RootScope } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { AnyRowTree, Part } from '../../catalogue/row-tree.ts';
import type { Sample } from '../../sampling/sample.ts';
import { ByteWriter } from '../shared/byte-writer.ts';
import { PerCollectors, printedColumns } from '../shared/columns.ts';
import { closeObject, jsonRows, quote, writeSampleMembers } from './json.ts';
import type { JsonRow, JsonRows } from './json.ts';
import type { Printer, PrinterSettings } from '../printer.ts';
import { TextCache } from '../shared/text-cache.ts';

const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

const endOfLine = Buffer.from('\n');

/** How the trees of one root are written: its row, then those of each kind of part that is wanted. Looked up once, and not for each VM. */
interface TreePlan {
  readonly row: JsonRow;
  readonly parts: readonly { readonly part: Part; readonly key: Buffer; readonly row: JsonRow }[];
}

/** The keys of what stands in a line, by scope: `,"host":`. */
const keys = perScope((scope) => Buffer.from(`,"${entityOf(scope).member}":`));

/**
 * One line a sample: a JSON object with the host (and its disks and NICs), the VMs as `domains` (and their vCPUs,
 * disks and NICs) and the agent with its outputs; no agent under the original's names, which had none.
 */
export class JsonCyclePrinter implements Printer {
  private readonly out = new ByteWriter();
  private readonly quoted = new TextCache(quote);
  private readonly plans: PerCollectors<Readonly<Record<RootScope, TreePlan>>>;

  constructor(settings: PrinterSettings) {
    const planOf = (rows: JsonRows, root: RootScope): TreePlan => ({
      row: rows[root],
      parts: partsOf(root)
        .filter(({ isDevice }) => settings.devices || !isDevice)
        .map((part) => ({ part, key: keys[part.scope], row: rows[part.scope] })),
    });
    this.plans = new PerCollectors((collectors) => {
      const rows = jsonRows((scope) => printedColumns(scope, settings, collectors), this.quoted);
      return { host: planOf(rows, 'host'), vm: planOf(rows, 'vm'), agent: planOf(rows, 'agent') };
    });
  }

  print(sample: Sample): readonly Buffer[] {
    const out = this.out;
    const plans = this.plans.get(sample.collectors);
    writeSampleMembers(out, sample, this.quoted);
    out.append(keys.host);
    this.tree(plans.host, sample.host, sample.interval);
    out.append(keys.vm);
    out.byte(OPEN_ARRAY);
    let first = true;
    for (const vm of sample.guests) {
      if (!first) out.byte(COMMA);
      first = false;
      this.tree(plans.vm, vm, sample.interval);
    }
    out.byte(CLOSE_ARRAY);
    if (!plans.agent.row.empty) {
      out.append(keys.agent);
      this.tree(plans.agent, sample.agent, sample.interval);
    }
    closeObject(out, 0);
    out.append(endOfLine);
    return [out.take()];
  }

  /** Writes the object of a row, with the rows of its parts in arrays. */
  private tree(plan: TreePlan, tree: AnyRowTree, interval: number): void {
    const begin = this.out.length;
    plan.row.write(this.out, tree.row, interval);
    for (const { part, key, row } of plan.parts) {
      this.out.append(key);
      this.array(row, rowsOf(tree, part), interval);
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
