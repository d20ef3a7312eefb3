import { partsOf, rowsOf } from '../../catalogue/row-tree.ts';
import type { AnyRowTree } from '../../catalogue/row-tree.ts';
import type { RootScope } from '../../catalogue/entities.ts';
import type { Row } from '../../catalogue/row.ts';
import type { Sample } from '../../sampling/sample.ts';

/** Is shown a row, and where it is of a part of a VM, the row of that VM. */
type Visit = (row: Row, vm: Row | undefined) => void;

/** The rows of the VMs in a sample that only their pids tell apart. */
export function twinRows({ guests }: Sample): ReadonlySet<Row> {
  return new Set(guests.filter(({ twin }) => twin).map(({ row }) => row));
}

/** Visits rows of a sample; those of devices only where these are wanted. */
export type EachRow = (sample: Sample, devices: boolean, visit: Visit) => void;

/** All rows, in the order of a record: the host, its devices, each VM with its devices behind it, the agent and its outputs. */
export const eachRow: EachRow = (sample, devices, visit) => {
  eachOfHost(sample, devices, visit);
  eachOfGuests(sample, devices, visit);
  eachOfAgent(sample, devices, visit);
};

/** In the order of a reader: the guests first, then the host, then the agent. */
export const guestsFirst: EachRow = (sample, devices, visit) => {
  eachOfGuests(sample, devices, visit);
  eachOfHost(sample, devices, visit);
  eachOfAgent(sample, devices, visit);
};

/** The guests, the host, what is wrong with them, and the nodes that are watched; nothing about proxtop itself. */
export const guestsAndHost: EachRow = (sample, devices, visit) => {
  eachOfGuests(sample, devices, visit);
  eachOfHost(sample, devices, visit);
  for (const row of [...sample.agent.verdicts, ...sample.agent.nodes]) visit(row, undefined);
};

const eachOfHost: EachRow = ({ host }, devices, visit) => {
  visit(host.row, undefined);
  eachPart('host', host, undefined, devices, visit);
};

const eachOfGuests: EachRow = ({ guests }, devices, visit) => {
  for (const vm of guests) {
    visit(vm.row, undefined);
    eachPart('vm', vm, vm.row, devices, visit);
  }
};

const eachOfAgent: EachRow = ({ agent }, devices, visit) => {
  visit(agent.row, undefined);
  eachPart('agent', agent, undefined, devices, visit);
};

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
