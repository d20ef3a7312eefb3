import type { GuestSignals } from './guest-signals.ts';
import type { Sticky, Symptoms } from './hysteresis.ts';
import type { HostSignals } from './host-signals.ts';

/** What the rules look at in one sample. */
export interface Situation {
  /** Monotonic seconds. */
  readonly time: number;
  readonly host: HostSignals;
  readonly guests: readonly GuestSignals[];
  readonly symptoms: Symptoms;
  /** CPU time that proxtop itself takes, percent of one CPU; NaN where not known. */
  readonly own: number;
  /** Who is named first, by what is short: as long as nobody takes much more. */
  readonly leader: (cause: string) => Sticky<string>;
}
