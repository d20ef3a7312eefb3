/** ms that reads under way have to come back when all else has ended. */
const EXIT_DEADLINE = 1000;

/** Ends the program by a signal, whose default action waits for nothing. */
function endBy(signal: NodeJS.Signals): void {
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

/**
 * Node waits for every read under way before it ends, and process.exit does too; one of a file system that hangs
 * (/etc/pve, network storage), or of a pipe that nobody writes to, never comes back. The default action of a signal waits for nothing.
 */
export function endInSpiteOfHangingFiles(): void {
  setTimeout(() => {
    endBy('SIGTERM');
  }, EXIT_DEADLINE).unref();
}
