import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const open = new Set<() => void>();

/**
 * Has `cleanUp` called when this process ends in whatever way but SIGKILL. A signal ends the process, unless the
 * program listens to it itself and so decides when to end.
 * @param cleanUp does its work before it returns: nothing can be awaited any more
 * @returns takes the order back
 */
export function whenProcessEnds(cleanUp: () => void): () => void {
  if (open.size === 0) {
    process.on('exit', cleanUpAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  open.add(cleanUp);
  return () => {
    open.delete(cleanUp);
    if (open.size > 0) return;
    process.off('exit', cleanUpAll);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

function cleanUpAll(): void {
  for (const cleanUp of open) cleanUp();
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
}
