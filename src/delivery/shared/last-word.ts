import type { Logger } from 'pino';
import { dropReasons } from '../../sampling/output-status.ts';
import type { Drops } from '../ledger/drops.ts';

/**
 * Logs what became of the records of a closed output: no later sample reports its last drops.
 *
 * @param left records that stay in its spool
 */
export function lastWord(
  log: Logger,
  { total, by }: Drops,
  left: { readonly records: number; readonly directory: string },
): void {
  if (left.records > 0) log.info(`${left.records} records wait in ${left.directory} for the next start`);
  if (total === 0) return;
  const reasons = dropReasons.filter((reason) => by[reason] > 0);
  const counts = reasons.map((reason) => `${by[reason]} ${reason}`);
  const records = total === 1 ? 'record was' : 'records were';
  log.warn(`${total} ${records} dropped since the start: ${counts.join(', ')}`);
}
