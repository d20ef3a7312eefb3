import type { CollectorName } from '../catalogue/catalogue.ts';
import { scopes } from '../catalogue/define.ts';
import type { PerScope, Scope } from '../catalogue/define.ts';
import { entities, entityOf } from '../catalogue/entities.ts';
import type { RootScope } from '../catalogue/entities.ts';
import { peaksOf } from '../catalogue/peaks.ts';
import { Row } from '../catalogue/row.ts';
import { listsOf, partsOf, rowsOf } from '../catalogue/row-tree.ts';
import type { AnyRowTree, RowTree } from '../catalogue/row-tree.ts';
import type { GuestRows, Sample } from '../sampling/sample.ts';
import { markTwins } from '../sampling/twins.ts';
import { recordedFields, recordedFieldsWithPeaks } from './fields.ts';
import type { Field } from './fields.ts';
import type { Fields } from './format.ts';
import { asFields, intervalOf, timeOf } from './format.ts';
import { apart, collectorOrder, describe, emptyTree, recordedVm } from './recorded-rows.ts';
import type { RecordedVm, RowMaker } from './recorded-rows.ts';

/**
 * Makes samples of recorded objects, of the shape in which they were taken. Like there, a sample and its rows are used
 * again for the next one.
 */
export class SampleBuilder {
  private readonly host: RowTree<'host'>;
  private readonly agent: RowTree<'agent'>;
  private vms = new Map<string, RecordedVm>();
  private readonly ran = new Set<CollectorName>();
  private collectors: readonly CollectorName[] = [];
  /** Of the sample that is being made, in seconds; NaN where not known. */
  private interval = NaN;
  private readonly fields: PerScope<ReadonlyMap<string, Field>>;
  private readonly rowOf: RowMaker;

  /** @param peaks whether rows have slots for the largest values too, and these are read */
  constructor(peaks = false) {
    this.fields = peaks ? recordedFieldsWithPeaks : recordedFields;
    this.rowOf = (scope) => new Row(scope, peaks ? peaksOf(scope).length : 0);
    this.host = emptyTree('host', this.rowOf);
    this.agent = emptyTree('agent', this.rowOf);
  }

  /**
   * @param objects one whole sample, or its rows one by one
   * @returns undefined for objects that are no sample
   */
  build(objects: readonly Fields[]): Sample | undefined {
    const cycle = 'type' in (objects[0] ?? {}) ? assembled(objects) : objects[0];
    const domains = cycle?.[entities.vm.member];
    if (cycle === undefined || !Array.isArray(domains)) return undefined;
    const { '@timestamp': timestamp, run, seq, interval } = cycle;
    const time = timeOf(timestamp);
    // One that began before the clock did is none.
    this.interval = intervalOf(interval, time);
    this.fillTree('host', this.host, asFields(cycle[entities.host.member]) ?? {});
    const vms = this.fillVms(listOf(domains));
    this.fillTree('agent', this.agent, asFields(cycle[entities.agent.member]) ?? {});
    if (this.ran.size > this.collectors.length)
      this.collectors = collectorOrder.filter((name) => this.ran.has(name));
    return {
      time,
      run: String(run),
      seq: Number(seq),
      interval: this.interval,
      host: this.host,
      guests: vms,
      agent: this.agent,
      collectors: this.collectors,
      runs: [],
    };
  }

  private fillVms(domains: readonly Fields[]): GuestRows[] {
    const vms = new Map<string, RecordedVm>();
    const copies = new Map<string, number>();
    for (const domain of domains) {
      const key = apart(keyOf(domain), vms, copies);
      const vm = this.vms.get(key) ?? recordedVm(key, this.rowOf);
      vms.set(key, vm);
      this.fillTree('vm', vm, domain);
      describe(vm);
    }
    if ([...vms.keys()].some((key) => !this.vms.has(key))) markTwins([...vms.values()]);
    this.vms = vms;
    return [...vms.values()];
  }

  /** Sets what an object tells, and what the objects in its lists tell of parts. */
  private fillTree(root: RootScope, tree: AnyRowTree, object: Fields): void {
    this.fill(tree.row, object);
    for (const part of partsOf(root))
      this.fillAll(rowsOf(tree, part) as Row[], part.scope, object[part.list]);
  }

  private fillAll(rows: Row[], scope: Scope, list: unknown): void {
    const objects = listOf(list);
    rows.length = Math.min(rows.length, objects.length);
    for (const [index, object] of objects.entries()) this.fill((rows[index] ??= this.rowOf(scope)), object);
  }

  /** Sets what an object tells. What the catalogue does not know, or has as another type, is passed over. */
  private fill(row: Row, object: Fields): void {
    row.clear();
    const known = this.fields[row.scope];
    for (const [name, value] of Object.entries(object)) {
      const field = known.get(name);
      if (field === undefined || (field.text ? typeof value !== 'string' : !Number.isFinite(value))) continue;
      const { slot, restore, collector } = field;
      if (typeof value === 'string') row.texts[slot] = value;
      else if (typeof value === 'number')
        row.values[slot] = restore === undefined ? value : restore(value, this.interval);
      if (collector !== undefined) this.ran.add(collector);
    }
  }
}

function keyOf({ UUID, pid }: Fields): string {
  return [UUID, pid].filter((part) => typeof part === 'string').join(' ');
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(asFields).filter((item) => item !== undefined) : [];
}

/** A recorded row, and those of its parts by the names of their lists. */
interface FieldTree {
  row: Fields;
  readonly lists: Readonly<Record<string, Fields[]>>;
}

function fieldTree(root: RootScope, row: Fields): FieldTree {
  return { row, lists: listsOf(root, (): Fields[] => []) };
}

function joined({ row, lists }: FieldTree): Fields {
  return { ...row, ...lists };
}

const byType: ReadonlyMap<unknown, ReturnType<typeof entityOf>> = new Map(
  scopes.map((scope) => [scope, entityOf(scope)]),
);

/** Puts the rows of one sample together to what one object tells as a whole. */
function assembled(rows: readonly Fields[]): Fields {
  const [host, agent] = [fieldTree('host', {}), fieldTree('agent', {})];
  const single: ReadonlyMap<unknown, FieldTree> = new Map([
    ['host', host],
    ['agent', agent],
  ]);
  const vms: FieldTree[] = [];
  // What came before the pid was told with devices is found by the UUID alone.
  const owners = new Map<unknown, FieldTree>();
  for (const row of rows) {
    const { parent, member = '' } = byType.get(row['type']) ?? {};
    if (row['type'] === 'vm') {
      const vm = fieldTree('vm', row);
      vms.push(vm);
      for (const key of [keyOf(row), row['UUID']]) owners.set(key, vm);
    } else if (parent === undefined) {
      const tree = single.get(row['type']);
      if (tree !== undefined) tree.row = row;
    } else {
      const vm = parent === 'vm' ? (owners.get(keyOf(row)) ?? owners.get(row['UUID'])) : undefined;
      (vm ?? single.get(parent))?.lists[member]?.push(row);
    }
  }
  return {
    ...rows[0],
    [entities.host.member]: joined(host),
    [entities.vm.member]: vms.map(joined),
    [entities.agent.member]: joined(agent),
  };
}
