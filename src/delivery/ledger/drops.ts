import { dropReasons } from '../../sampling/output-status.ts';
import type { DropReason } from '../../sampling/output-status.ts';

/** Records that an output gave up, by reason. */
export class Drops {
  readonly by = Object.fromEntries(dropReasons.map((reason) => [reason, 0])) as Record<DropReason, number>;
  total = 0;

  add(reason: DropReason, records = 1): void {
    this.by[reason] += records;
    this.total += records;
  }
}
