import type { Logger } from 'pino';
import { dropReasons } from '../../sampling/output-status.ts';
import type { OutputStatus } from '../../sampling/output-status.ts';

/** Logs what became of the records of a destination that was closed: no sample tells any more what it dropped last. */
export function lastWord(log: Logger, { dropped, droppedBy, spooled }: OutputStatus): void {
  if (spooled > 0) log.info(`${spooled} records wait in the spool for the next start`);
  if (dropped === 0) return;
  const reasons = dropReasons.filter((reason) => droppedBy[reason] > 0);
  const counts = reasons.map((reason) => `${droppedBy[reason]} ${reason}`);
  log.warn(`${dropped} records were dropped since the start: ${counts.join(', ')}`);
}
