/** A host that is not there: VMs with all devices and metrics, a sample a second. The same in every run. */
import { collectorNames, columns } from '../src/catalogue/catalogue.ts';
import type { Scope } from '../src/catalogue/define.ts';
import { Row } from '../src/catalogue/row.ts';
import { listsOf } from '../src/catalogue/row-tree.ts';
import type { Sample } from '../src/sampling/sample.ts';

/** When the first sample is taken, ms since 1970. */
export const start = Date.UTC(2026, 10, 22, 12);
/** Devices of a VM; of all other kinds one. */
const devices: Partial<Record<Scope, number>> = { vm_vcpu: 4, vm_disk: 2 };

/** The same doubles in every run, between 0 and 1. */
let state = 1;
export function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** Values nearly as real hosts have them: constant levels, three of four rates 0, the others new in every sample. */
function fill(row: Row, first: boolean): void {
  for (const { slot, kind, unit, id } of columns(row.scope)) {
    // Two of five are not known, such as those of containers.
    if (slot % 5 === 1 || slot % 5 === 3) continue;
    if (kind === 'text') row.texts[slot] ??= `${id}-${slot}`;
    else if (first) row.values[slot] = slot % 4 !== 0 && kind !== 'gauge' ? 0 : Math.floor(random() * 1e6);
    else if (kind !== 'gauge' && slot % 4 === 0)
      row.values[slot] = random() * (unit === 'percent' ? 100 : 1000);
  }
}

/** @returns makes the sample of a second after the start; it is valid until the next one is made */
export function syntheticHost(vmCount: number): (second: number) => Sample {
  const all: Row[] = [];
  const rowOf = (scope: Scope): Row => {
    const row = new Row(scope);
    fill(row, true);
    all.push(row);
    return row;
  };
  const tree = (root: 'host' | 'vm') => ({
    row: rowOf(root),
    ...listsOf(root, ({ scope }) => Array.from({ length: devices[scope] ?? 1 }, () => rowOf(scope))),
  });
  const host = tree('host');
  const guests = Array.from({ length: vmCount }, (_, index) => {
    const name = `vm${index}`;
    return { guest: { type: 'qemu', key: name, uuid: name, name } as const, twin: false, ...tree('vm') };
  }) as unknown as Sample['guests'];
  const agent = { row: rowOf('agent'), outputs: [rowOf('agent_output')], verdicts: [], nodes: [] };
  return (second) => {
    for (const row of all) fill(row, false);
    return {
      time: start + second * 1000 + 2,
      run: '0190a5b2',
      seq: second + 1,
      interval: 1,
      host,
      guests,
      agent,
      collectors: collectorNames,
      runs: [],
    };
  };
}
