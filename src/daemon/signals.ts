/** Ends the program by a signal, whose default action waits for nothing. */
export function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * The first SIGINT or SIGTERM ends the sampling and delivers what is queued; a second one ends the program at once.
 * SIGHUP reloads.
 */
export function obeySignals(stop: AbortController, onHangUp: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) endBy(signal);
      stop.abort();
    });
  }
  process.on('SIGHUP', onHangUp);
}
