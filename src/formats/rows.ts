import { partsOf, rowsOf } from '../catalogue/row-tree.ts';
import type { AnyRowTree } from '../catalogue/row-tree.ts';
import type { RootScope } from '../catalogue/entities.ts';
import type { Row } from '../catalogue/row.ts';
import type { Sample } from '../sampling/sample.ts';

/** Is shown a row, and where it is of a part of a VM, the row of that VM. */
type Visit = (row: Row, vm: Row | undefined) => void;

/** The rows of the VMs in a sample that only their pids tell apart. */
export function twinRows({ guests }: Sample): ReadonlySet<Row> {
  return new Set(guests.filter(({ twin }) => twin).map(({ row }) => row));
}

/**
 * Visits the rows of a sample in the order in which they are printed: the host, its devices, each VM with its devices
 * behind it, the agent and its outputs.
 */
export function eachRow({ host, guests, agent }: Sample, devices: boolean, visit: Visit): void {
  visit(host.row, undefined);
  eachPart('host', host, undefined, devices, visit);
  for (const vm of guests) {
    visit(vm.row, undefined);
    eachPart('vm', vm, vm.row, devices, visit);
  }
  visit(agent.row, undefined);
  eachPart('agent', agent, undefined, devices, visit);
}

function eachPart(
  root: RootScope,
  tree: AnyRowTree,
  vm: Row | undefined,
  devices: boolean,
  visit: Visit,
): void {
  for (const part of partsOf(root)) {
    if (part.isDevice && !devices) continue;
    for (const row of rowsOf(tree, part)) visit(row, vm);
  }
}
