import type { GuestSignals } from './guest-signals.ts';
import type { RuleId, Taker, VerdictClass } from './verdict.ts';

/** What is said of all findings that one verdict is made of. */
export interface Told {
  /** Makes the sentence. @param label writes a guest; names are shortened where the sentence is too long */
  readonly sentence: (label: Label) => string;
  readonly takers?: readonly Taker[];
}

/** How a guest is called in a sentence. */
export type Label = (guest: GuestSignals | Taker) => string;

/** A rule that holds for one guest or device. Those of one rule, class and cause are told in one sentence. */
export interface Finding {
  readonly rule: RuleId;
  readonly class: VerdictClass;
  /** What several guests may have in common: a device, some CPUs; else whatever tells it from other findings of its rule. */
  readonly cause: string;
  /** Undefined for the host. */
  readonly guest: GuestSignals | undefined;
  readonly device?: string;
  /** With number and unit. */
  readonly suffers: string;
  /** How bad it is, for the order within the class. */
  readonly score: number;
  /** @param all the findings of its verdict, the worst first */
  readonly tell: (all: readonly Finding[]) => Told;
}

/** How bad a value is: times the level where it begins, ten at most, by how much of the guest it concerns. */
export function scoreOf(value: number, begins: number, part = 1): number {
  return Math.min(10, value / begins) * part;
}
