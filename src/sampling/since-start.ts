/** What was counted since the program started; it goes on when other settings need another sampler, and so another run. */
export class SinceStart {
  /** Collectors, inventories and our own figures that failed. */
  errors = 0;
  /** Ticks that loops before the present one missed. */
  missedTicks = 0;
  /** Polls of earlier inventories that got no answer. */
  pollFailures = 0;
}
