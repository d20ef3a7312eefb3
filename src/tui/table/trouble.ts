import type { Verdict } from '../../verdicts/verdict.ts';
import { badgeOf } from '../values/badge.ts';
import { textOrBlank } from '../values/row-values.ts';
import type { TableEntry } from './table.ts';

/** Which rows come first: those whose guest hangs or has failed, then those that verdicts name as suffering. */
export class Trouble {
  /** Names of guests, and of their devices. */
  private readonly suffering: ReadonlySet<string>;

  constructor(verdicts: readonly Verdict[]) {
    const victims = verdicts.flatMap((verdict) => verdict.victims);
    this.suffering = new Set(
      victims.flatMap(({ guest: { guest }, device }) =>
        device === undefined ? [guest.key] : [guest.key, nameOf(guest.key, device)],
      ),
    );
  }

  /**
   * 2 for a guest that hangs or has failed, and its devices, and for a node that tells nothing, 1 for one that suffers, or a device
   * that it suffers from, 0 for others.
   */
  rank({ row, vm, node }: TableEntry): 0 | 1 | 2 {
    if (vm === undefined) return node !== undefined && node.sample === undefined ? 2 : 0;
    if (badgeOf(vm.row)?.grade === 'bad') return 2;
    const { key } = vm.guest;
    const name = row === vm.row ? key : nameOf(key, textOrBlank(row, 'device'));
    return this.suffering.has(name) ? 1 : 0;
  }
}

function nameOf(key: string, device: string): string {
  return `${key} ${device}`;
}
