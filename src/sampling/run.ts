import { randomBytes } from 'node:crypto';

/** One start of the program, as its samples tell of it. It goes on when other settings need another sampler. */
export class Run {
  /** Names it. */
  readonly id = randomBytes(6).toString('hex');
  /** Number of the last sample, from 1; 0 before the first. */
  seq = 0;
  /** Runs of collectors, inventories and our own figures that failed since the start. */
  errors = 0;
  /** Ticks that loops before the present one missed. */
  missedTicks = 0;
  /** Questions that connectors before the present one had no answer to. */
  pollFailures = 0;
}
