import type { Scope } from '../catalogue/define.ts';
import type { PartLists } from '../catalogue/entities.ts';
import { Row } from '../catalogue/row.ts';
import { listsOf, partsOf } from '../catalogue/row-tree.ts';
import type { RowTree } from '../catalogue/row-tree.ts';
import { columns } from '../catalogue/catalogue.ts';

/** The rows of one VM's (or the host's) devices of one kind. A device keeps its row from cycle to cycle. */
export class DeviceRows {
  /** The rows of this cycle, in the order in which they were asked for. */
  readonly rows: Row[] = [];
  private readonly known = new Map<string, Row>();
  private readonly deviceSlot: number;

  constructor(private readonly scope: Scope) {
    this.deviceSlot = columns(scope).findIndex(({ id }) => id === 'device');
  }

  /** Starts a cycle without rows. Those that the cycle before did not ask for are forgotten. */
  clear(): void {
    if (this.known.size > this.rows.length) {
      this.known.clear();
      for (const row of this.rows) this.known.set(row.texts[this.deviceSlot] as string, row);
    }
    this.rows.length = 0;
  }

  /** Takes a row of the cycle before once more, with its values. */
  again(row: Row): void {
    this.rows.push(row);
  }

  /** The row of a device, cleared but for its name. To be asked for once a cycle. */
  add(device: string): Row {
    let row = this.known.get(device);
    if (row === undefined) {
      row = new Row(this.scope);
      this.known.set(device, row);
    } else {
      row.clear();
    }
    row.texts[this.deviceSlot] = device;
    this.rows.push(row);
    return row;
  }
}

/** The row of the host or a VM, and those of its devices, kept as long as it is there. */
export class TargetRows<R extends 'host' | 'vm'> {
  readonly row: Row;
  /** For the collectors to fill, by the names of the lists in which a sample has them. */
  readonly devices: PartLists<R, DeviceRows>;
  /** The same rows as they stand in a sample. */
  readonly tree: RowTree<R>;
  private readonly kinds: readonly DeviceRows[];

  constructor(scope: R) {
    const byScope = new Map(partsOf(scope).map((part) => [part.scope, new DeviceRows(part.scope)]));
    const of = (part: Scope): DeviceRows => byScope.get(part) as DeviceRows;
    this.row = new Row(scope);
    this.kinds = [...byScope.values()];
    this.devices = listsOf(scope, (part) => of(part.scope));
    this.tree = { row: this.row, ...listsOf(scope, (part): readonly Row[] => of(part.scope).rows) };
  }

  /** Starts a cycle: forgets all values, and the devices that the cycle before did not ask for. */
  clear(): void {
    this.row.clear();
    for (const rows of this.kinds) rows.clear();
  }
}
