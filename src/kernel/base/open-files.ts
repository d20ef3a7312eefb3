import { channel } from 'node:diagnostics_channel';

/** Which limit left no descriptor for a file: that of this process (EMFILE) or that of the whole host (ENFILE). */
export type Shortage = 'process' | 'host';

/** Where a {@link Shortage} is published each time that a file could not be opened for it; whoever logs subscribes. */
export const shortages = channel('proxtop.kernel.shortage');

const limits: Readonly<Record<string, Shortage>> = { EMFILE: 'process', ENFILE: 'host' };
let refused = 0;

/**
 * Whether an error of node:fs or node:net says that no descriptor was left. It says nothing about the file itself, which
 * can be opened as soon as a descriptor is free. Such an error is counted and published.
 */
export function isShortage(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const shortage = code === undefined ? undefined : limits[code];
  if (shortage === undefined) return false;
  refused++;
  shortages.publish(shortage);
  return true;
}

/**
 * How often something could not be opened so far because no descriptor was left. Code that looks for several files compares
 * it before and after: only if it is unchanged, a file that was not found does not exist.
 */
export function refusedOpens(): number {
  return refused;
}
