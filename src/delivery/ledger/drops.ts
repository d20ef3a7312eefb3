import type { DropReason } from '../../sampling/output-status.ts';

/** Counts the records that an output gave up, by reason. */
export class Drops {
  readonly by: Record<DropReason, number> = {
    queue_full: 0,
    spool_full: 0,
    too_large: 0,
    refused: 0,
    unreachable: 0,
    damaged: 0,
    unprintable: 0,
    stopped: 0,
  };
  total = 0;

  add(reason: DropReason, records = 1): void {
    this.by[reason] += records;
    this.total += records;
  }
}
