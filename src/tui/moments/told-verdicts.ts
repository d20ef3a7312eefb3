import type { GuestRows, Sample } from '../../sampling/sample.ts';
import type { Taker, Verdict } from '../../verdicts/verdict.ts';

/** A verdict whose guests are numbers in the list of its sample, -1 for what is no guest: it needs no rows, and can be JSON. */
export interface ToldVerdict extends Omit<Verdict, 'victims' | 'takers'> {
  readonly victims: readonly {
    readonly guest: number;
    readonly device?: string;
    readonly suffers: string;
  }[];
  readonly takers: readonly (Omit<Taker, 'guest'> & { readonly guest: number })[];
}

/** What verdicts on a sample say, without its rows. */
export function told(verdicts: readonly Verdict[], { guests }: Sample): readonly ToldVerdict[] {
  if (verdicts.length === 0) return [];
  const numbers = new Map(guests.map((guest, index) => [guest, index]));
  const numberOf = (guest: GuestRows | undefined): number =>
    guest === undefined ? -1 : (numbers.get(guest) ?? -1);
  // By name: those who made the verdict may have more in them.
  return verdicts.map(({ rule, class: grade, subject, text, age, victims, takers }) => ({
    rule,
    class: grade,
    subject,
    text,
    age,
    victims: victims.map(({ guest, device, suffers }) => ({
      guest: numberOf(guest),
      ...(device !== undefined && { device }),
      suffers,
    })),
    takers: takers.map(({ guest, name, share, amount }) => ({ guest: numberOf(guest), name, share, amount })),
  }));
}

/** The same verdicts, with the rows of a sample that has the same guests in the same order. */
export function retold(verdicts: readonly ToldVerdict[], { guests }: Sample): readonly Verdict[] {
  return verdicts.map((verdict) => ({
    ...verdict,
    victims: verdict.victims.flatMap(({ guest: number, device, suffers }) => {
      const guest = guests[number];
      return guest === undefined ? [] : { guest, device, suffers };
    }),
    takers: verdict.takers.map((taker) => ({ ...taker, guest: guests[taker.guest] })),
  }));
}
