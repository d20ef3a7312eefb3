import type { Logger } from 'pino';
import { createOutput } from '../outputs/index.ts';
import type { Output } from '../outputs/output.ts';
import type { OutputSettings } from '../outputs/settings.ts';
import { createPrinter } from '../printers/index.ts';

/** ms that queued records have to leave when the program ends. */
const FLUSH_DEADLINE = 5000;

/** Makes outputs: all, or none. @throws Error with a message for the user */
export async function openOutputs(
  outputs: readonly OutputSettings[],
  log: Logger,
  stop: AbortController,
): Promise<readonly Output[]> {
  const made: Output[] = [];
  try {
    for (const output of outputs) {
      const printer = createPrinter(output.printer, output.print);
      made.push(
        createOutput(output, printer, log, () => {
          stop.abort();
        }),
      );
    }
    return made;
  } catch (error) {
    await closeOutputs(made, 0);
    throw error;
  }
}

/** Delivers what is queued, and closes. */
export async function closeOutputs(outputs: readonly Output[], deadline = FLUSH_DEADLINE): Promise<void> {
  await Promise.all(outputs.map((output) => output.close(deadline)));
}

/** The first SIGINT or SIGTERM ends the sampling and delivers what is queued; a second one ends the program at once. */
export function obeySignals(stop: AbortController, outputs: readonly Output[]): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) endBy(signal);
      stop.abort();
    });
  }
  process.on('SIGHUP', () => {
    for (const output of outputs) output.reopen();
  });
}

/** Ends the program by a signal, which waits for nothing. */
export function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
