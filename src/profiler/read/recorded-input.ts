import type { Subject } from '../profile.ts';

/** One input of one VM, with where it stands. */
export interface RecordedInput {
  /** The same object for all inputs of a VM. */
  readonly vm: Subject;
  /** The same array for all inputs of a file. */
  readonly metrics: readonly string[];
  /** NaN for what is not known. */
  readonly values: readonly number[];
  /** Speed of the host's links in megabit per second; NaN where not known. */
  readonly link: number;
  readonly line: number;
}
