import { slots } from '../catalogue/catalogue.ts';
import type { Row } from '../catalogue/row.ts';

const { UUID, vmid } = slots('identity', 'vm');

/**
 * Marks the VMs that nothing but the pid tells apart for sure, as they have the same UUID and vmid: copies that were started
 * by hand, both ends of a migration within one host. Called when a VM came. A mark stays until its VM ends, even if the
 * other ends before: its values must not go on in the series that was the other's.
 */
export function markTwins(vms: readonly { readonly row: Row; twin: boolean }[]): void {
  const first = new Map<string, { twin: boolean }>();
  for (const vm of vms) {
    const { texts } = vm.row;
    const id = `${texts[UUID]} ${texts[vmid]}`;
    const other = first.get(id);
    if (other === undefined) first.set(id, vm);
    else other.twin = vm.twin = true;
  }
}
