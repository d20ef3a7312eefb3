import type { Row } from '../catalogue/row.ts';
import { partsOf, rowsOf } from '../catalogue/row-tree.ts';
import { isMerged } from '../cluster/merge.ts';
import type { ClusterGuest } from '../cluster/merge.ts';
import type { GuestRows, Sample } from '../sampling/sample.ts';

/** The key of a guest on its node. */
export function ownKey(rows: GuestRows): string {
  return 'ownKey' in rows ? (rows as ClusterGuest).ownKey : rows.guest.key;
}

/** The sample of the host that a row is of: what explains a value is on the same node. */
export function sampleOf(sample: Sample, row: Row): Sample {
  if (!isMerged(sample)) return sample;
  const isOf = (host: Sample): boolean =>
    host.host.row === row ||
    partsOf('host').some((part) => rowsOf(host.host, part).includes(row)) ||
    guestOf(host, row) !== undefined;
  const node = sample.nodes.find((each) => each.row === row || (each.sample && isOf(each.sample)));
  return node?.sample ?? sample;
}

/** The guest that a row is of, itself or one of its devices; undefined for one of the host. */
export function guestOf({ guests }: Sample, row: Row): GuestRows | undefined {
  return guests.find(
    (guest) => guest.row === row || partsOf('vm').some((part) => rowsOf(guest, part).includes(row)),
  );
}
