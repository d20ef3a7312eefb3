/** Where the samples of a view come from. */
export interface Source {
  /** Seconds between two samples as they are wanted. */
  readonly interval: number;
  /** What the status line says about it: paused, a time of a replay; '' for nothing. */
  readonly note: string;
  /** Takes the next longer (1) or shorter (-1) interval. */
  changeInterval(by: -1 | 1): void;
  /** Wants a sample at once. */
  refresh(): void;
  /** The user has seen enough. */
  quit(): void;
}
