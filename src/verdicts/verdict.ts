import type { GuestRows } from '../sampling/sample.ts';

/**
 * What a verdict is about: 1 down, 2 damage, 3 slowed by others or by hardware, 4 an own limit, 5 the host is short of
 * something, * 6 nobody lacks anything, but it could be faster.
 */
export type VerdictClass = 1 | 2 | 3 | 4 | 5 | 6;

/** What is found, in the words of the stream; docs/verdicts.md has the rule of each. */
export type RuleId =
  | 'hung'
  | 'stopped'
  | 'oom-kill'
  | 'disk-errors'
  | 'cpu-limit'
  | 'cpu-host-steal'
  | 'cpu-short'
  | 'cpu-wait'
  | 'qemu-wait'
  | 'disk-limit'
  | 'disk-slow'
  | 'disk-backup'
  | 'disk-flush'
  | 'disk-thread'
  | 'disk-latency'
  | 'memory-limit'
  | 'memory-swap'
  | 'memory-balloon'
  | 'memory-host'
  | 'memory-far'
  | 'net-limit'
  | 'net-drops'
  | 'net-full';

/** A consumer of the scarce resource; the row of a guest is that of the last sample. */
export interface Taker {
  /** Undefined for what is no guest: the host itself, proxtop. */
  readonly guest: GuestRows | undefined;
  readonly name: string;
  /** Percent of what all together take there. */
  readonly share: number;
  /** How much that is: `600 % CPU`, `900 IOPS`. */
  readonly amount: string;
}

/** A guest that suffers, and what shows it. */
export interface Victim {
  readonly guest: GuestRows;
  /** Its disk or NIC; undefined for the guest as a whole. */
  readonly device: string | undefined;
  /** What it suffers, with number and unit: `RDY 40 %`. */
  readonly suffers: string;
}

/** One thing that is wrong. */
export interface Verdict {
  readonly rule: RuleId;
  readonly class: VerdictClass;
  /** Its subject, which distinguishes it from others of its rule: a guest, its device, a device or CPUs of the host. */
  readonly subject: string;
  /** The sentence. */
  readonly text: string;
  /** Seconds for which it has held. */
  readonly age: number;
  /** The worst first; none where the host itself is short of something. */
  readonly victims: readonly Victim[];
  /** The consumers of the scarce resource, largest first, including victims; empty where there are no others. */
  readonly takers: readonly Taker[];
}

/** Classes up to this one are of guests that are down, damaged or slowed by what is not their own. */
const GRAVE = 3;

/** Whether it is red: of a guest that is down, damaged or slowed by what is not its own. */
export function isGrave(verdict: Pick<Verdict, 'class'>): boolean {
  return verdict.class <= GRAVE;
}

/** The class of what is worth knowing, and no trouble. */
const HINT = 6;

/** Whether it is a hint: nobody lacks anything. */
export function isHint(verdict: Pick<Verdict, 'class'>): boolean {
  return verdict.class === HINT;
}

/** Whether something red began with the sample that these verdicts are of. */
export function redBegins(verdicts: readonly Verdict[]): boolean {
  return verdicts.some((verdict) => verdict.age === 0 && isGrave(verdict));
}
