import { printable } from '../base/strings/printable.ts';
import type { Trouble } from './episodes.ts';

/** Characters of a sentence that are looked at; those of verdicts have eighty. */
const most = 500;
/** What belongs to a name, so that no other name begins behind it or ends before it. */
const within = /[\p{L}\p{N}_-]/u;

/** Finds the guests that sentences name. Of names that begin with one another the longest one is meant. */
export class Mentions {
  private readonly guests = new Map<string, number[]>();
  private readonly longest: number;

  /** @param labels of the guests by their indexes, as sentences have them */
  constructor(labels: Iterable<readonly [index: number, label: string]>) {
    for (const [index, label] of labels) {
      const text = printable(label);
      const same = this.guests.get(text);
      if (same === undefined) this.guests.set(text, [index]);
      else same.push(index);
    }
    this.longest = [...this.guests.keys()].reduce((length, label) => Math.max(length, label.length), 0);
  }

  /** Indexes of those that a sentence begins with: several where guests have the same name. */
  first(sentence: string): readonly number[] {
    return this.guests.get(this.nameAt(sentence, 0)) ?? [];
  }

  /** Indexes of all that it names, ascending. */
  all(sentence: string): readonly number[] {
    const text = sentence.slice(0, most);
    const found = new Set<number>();
    for (let at = 0; at < text.length; at++) {
      if (within.test(text[at - 1] ?? '') && within.test(text[at] ?? '')) continue;
      const name = this.nameAt(text, at);
      for (const index of this.guests.get(name) ?? []) found.add(index);
      at += Math.max(0, name.length - 1);
    }
    return [...found].sort((a, b) => a - b);
  }

  /** The longest name that stands there; empty for none. */
  private nameAt(text: string, at: number): string {
    for (let length = Math.min(this.longest, text.length - at); length > 0; length--) {
      const end = at + length;
      if (within.test(text[end - 1] ?? '') && within.test(text[end] ?? '')) continue;
      const name = text.slice(at, end);
      if (this.guests.has(name)) return name;
    }
    return '';
  }
}

/** Finds the guests that troubles are about, each among those of its own host. */
export class TroubledGuests {
  private readonly hosts = new Map<string, Mentions>();

  constructor(guests: readonly Readonly<{ label: string; host: string }>[]) {
    const labels = new Map<string, (readonly [index: number, label: string])[]>();
    for (const [index, { label, host }] of guests.entries()) {
      const own = labels.get(host) ?? [];
      labels.set(host, own);
      own.push([index, label]);
    }
    for (const [host, own] of labels) this.hosts.set(host, new Mentions(own));
  }

  /** Indexes of those that suffer: its subject, or what its sentence begins with. */
  first({ subject, text, host }: Trouble): ReadonlySet<number> {
    const mentions = this.hosts.get(host);
    return new Set([...(mentions?.first(subject) ?? []), ...(mentions?.first(text) ?? [])]);
  }

  /** Indexes of all that it names, ascending. */
  all({ subject, text, host }: Trouble): readonly number[] {
    const mentions = this.hosts.get(host);
    const all = new Set([...(mentions?.first(subject) ?? []), ...(mentions?.all(text) ?? [])]);
    return [...all].sort((a, b) => a - b);
  }
}
