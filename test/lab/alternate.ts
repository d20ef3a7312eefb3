import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './lab.ts';
import type { LabVm } from './vm.ts';

/**
 * Lets a spinning VM run and stand still by turns, changing on multiples of `turn` of the wall clock, which proxtop's
 * samples keep to as well; until `end` is aborted. @param turn ms
 */
export async function alternate(lab: Lab, vm: LabVm, turn: number, end: AbortSignal): Promise<void> {
  for (let runs = true; ; runs = !runs) {
    await sleep(turn - (Date.now() % turn), undefined, { signal: end }).catch(() => undefined);
    if (end.aborted) return;
    await lab.qmp(vm, runs ? 'stop' : 'cont');
  }
}
