import type { Row } from '../catalogue/row.ts';
import type { Sample } from '../sampling/sample.ts';

/** The rows of the VMs in a sample that only their pids tell apart. */
export function twinRows({ vms }: Sample): ReadonlySet<Row> {
  return new Set(vms.filter(({ twin }) => twin).map(({ row }) => row));
}

/**
 * Visits the rows of a sample in the order in which they are printed: the host, its devices, each VM with its devices
 * behind it, the agent and its outputs. `vm` is the row of the VM that a device belongs to.
 */
export function eachRow(
  { host, vms, agent, outputs }: Sample,
  devices: boolean,
  visit: (row: Row, vm: Row | undefined) => void,
): void {
  visit(host.row, undefined);
  if (devices) {
    for (const row of host.disks) visit(row, undefined);
    for (const row of host.nics) visit(row, undefined);
  }
  for (const vm of vms) {
    visit(vm.row, undefined);
    if (!devices) continue;
    for (const row of vm.vcpus) visit(row, vm.row);
    for (const row of vm.disks) visit(row, vm.row);
    for (const row of vm.nics) visit(row, vm.row);
  }
  visit(agent, undefined);
  for (const row of outputs) visit(row, undefined);
}
