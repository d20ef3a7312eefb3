import { setImmediate as turn } from 'node:timers/promises';

/** ms between two times that somebody who watches is attended to: less than a person notices, and looking costs 10 us. */
const ATTENTION_PAUSE = 10;

/**
 * What lets somebody who presses keys have their effect in the middle of long work, without a turn of the event loop. May be called
 * as often as one likes: it does something only where the last time is 10 ms ago.
 */
export function spaced(task: () => void): () => void {
  let doneAt = -Infinity;
  return () => {
    if (performance.now() - doneAt < ATTENTION_PAUSE) return;
    task();
    doneAt = performance.now();
  };
}

/** The same for work that can wait: lets the event loop turn. */
export function spacedTurns(): () => Promise<void> {
  let doneAt = performance.now();
  return async () => {
    if (performance.now() - doneAt < ATTENTION_PAUSE) return;
    await turn();
    doneAt = performance.now();
  };
}
