import { catalogue, slots } from '../catalogue/catalogue.ts';
import type { CollectorName } from '../catalogue/catalogue.ts';
import type { RootScope, Scope } from '../catalogue/entities.ts';
import { Row } from '../catalogue/row.ts';
import { listsOf } from '../catalogue/row-tree.ts';
import type { RowTree } from '../catalogue/row-tree.ts';
import { guestTypes } from '../guests/guest.ts';
import type { GuestIdentity } from '../guests/guest.ts';
import type { GuestRows } from '../sampling/sample.ts';

const identity = slots('identity', 'vm');

/** The collectors in the order of the catalogue, the only one in which a sample names them. */
export const collectorOrder: readonly CollectorName[] = [
  ...new Set(catalogue.map(({ collector }) => collector)),
].filter((name) => name !== '-');

/** A VM of a recording, with rows that are kept as long as it is in the samples. */
export interface RecordedVm extends GuestRows {
  twin: boolean;
  readonly guest: { -readonly [K in keyof GuestIdentity]: GuestIdentity[K] };
}

/** Makes the row of a scope. */
export type RowMaker = (scope: Scope) => Row;
const plainRow: RowMaker = (scope) => new Row(scope);

/** One that was not in the sample before. @param key what tells it from others */
export function recordedVm(key: string, rowOf: RowMaker = plainRow): RecordedVm {
  return {
    guest: { type: 'qemu', key, uuid: '', name: '' },
    twin: false,
    ...emptyTree('vm', rowOf),
  };
}

/** The row of something that stands by itself, without parts. */
export function emptyTree<R extends RootScope>(root: R, rowOf: RowMaker = plainRow): RowTree<R> {
  return { row: rowOf(root), ...listsOf(root, (): readonly Row[] => []) };
}

/** Tells of a VM what its row does. */
export function describe({ guest, row: { texts } }: RecordedVm): void {
  // Recordings of 0.1.0 know VMs only.
  guest.type = guestTypes.find((type) => type === texts[identity.guest_type]) ?? 'qemu';
  guest.uuid = texts[identity.UUID] ?? '';
  guest.name = texts[identity.name] ?? '';
  guest.vmid = texts[identity.vmid];
  guest.tags = texts[identity.tags];
  guest.lock = texts[identity.lock];
  guest.state = texts[identity.state];
}

/** A key that no guest before it has, where the record does not tell two apart. @param copies how many there are of each key */
export function apart(key: string, known: ReadonlyMap<string, unknown>, copies: Map<string, number>): string {
  let own = key;
  while (known.has(own)) {
    const count = (copies.get(own) ?? 0) + 1;
    copies.set(own, count);
    own = `${own} (${count})`;
  }
  return own;
}
