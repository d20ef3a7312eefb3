import { slots } from '../catalogue/catalogue.ts';
import type { GuestRows, Sample } from '../sampling/sample.ts';
import type { Finding } from './finding.ts';
import { Followed } from './followed.ts';
import { GuestSignals } from './guest-signals.ts';
import { HostSignals } from './host-signals.ts';
import { Sticky, Symptoms } from './hysteresis.ts';
import { weightOf } from './means.ts';
import { cpuFindings } from './rules/cpu.ts';
import { diskFindings } from './rules/disk.ts';
import { memoryFindings } from './rules/memory.ts';
import { farFindings } from './rules/numa.ts';
import { netFindings } from './rules/net.ts';
import { stateFindings } from './rules/state.ts';
import type { Situation } from './situation.ts';
import type { RuleId, Verdict } from './verdict.ts';
import { fullLabel, sentence } from './wording.ts';

/** Seconds of samples before anything but what is down or damaged is told. */
const WARM = 10;
/** Seconds, and intervals, without a sample after which earlier ones are outdated. */
const GAP = 10;
const INTERVALS = 3;
/** Seconds for which a text stays as it is. */
const STAYS = 3;
/** Times by which a score must change for the order to. */
const REORDERS = 1.5;

/** Each adds what it finds. */
const rules = [stateFindings, cpuFindings, diskFindings, memoryFindings, farFindings, netFindings];
const { cpu_ms: OWN_CPU } = slots('agent', 'agent');

/** What explains a guest's other troubles: those of its own limits are no consequence of it. */
const starving: ReadonlySet<RuleId> = new Set([
  'cpu-limit',
  'cpu-host-steal',
  'cpu-short',
  'cpu-wait',
  'qemu-wait',
]);
const ofStarving: ReadonlySet<RuleId> = new Set([
  'disk-slow',
  'disk-backup',
  'disk-flush',
  'disk-thread',
  'disk-latency',
  'net-drops',
]);

/** A verdict as long as it holds. */
interface Held {
  readonly since: number;
  /** When the text was last changed. */
  told: number;
  score: number;
  verdict: Verdict;
}

/** The result of the samples so far. */
export interface Judgement {
  /** The gravest first. */
  readonly verdicts: readonly Verdict[];
  /** Those that the sample before had, and this one has no more. */
  readonly ended: readonly Verdict[];
}

/**
 * Says who suffers on a host, from what, and who takes most of what is short there. It looks at means over ten seconds,
 * begins and ends each verdict at different levels, and keeps it for a while, so that values which swing around a level make no
 * line come and go. What it keeps is bounded by the guests and devices that there are.
 *
 * Rules, levels and words: docs/verdicts.md.
 */
export class Verdicts {
  private host = new HostSignals();
  private guests = this.newGuests();
  private symptoms = new Symptoms();
  private leaders = new Map<string, Sticky<string>>();
  private held = new Map<string, Held>();
  private last: Pick<Sample, 'run' | 'seq' | 'time' | 'interval'> | undefined;
  /** Seconds of samples without a gap. */
  private time = 0;
  private current: readonly Verdict[] = [];

  /** The verdicts of the last sample, the gravest first. */
  get now(): readonly Verdict[] {
    return this.current;
  }

  /** Whether enough was seen for verdicts of every kind. */
  get isWarm(): boolean {
    return this.time >= WARM;
  }

  /** Adds a sample; has read it when this returns. */
  add(sample: Sample): Judgement {
    const seconds = this.secondsTo(sample);
    this.follow(sample, seconds);
    const situation = this.situationOf(sample, seconds);
    this.symptoms.begin(this.time, this.isWarm);
    const found: Finding[] = [];
    for (const rule of rules) rule(situation, found);
    const findings = relevant(found);
    const before = this.current;
    this.current = this.verdictsOf(findings);
    const ids = new Set(this.current.map(idOf));
    return { verdicts: this.current, ended: before.filter((verdict) => !ids.has(idOf(verdict))) };
  }

  /**
   * Seconds since the sample before. By the monotonic clock: the other one may be set. After a gap, in another run or after a
   * jump in a recording everything starts again.
   */
  private secondsTo({ run, seq, time, interval }: Sample): number {
    const { last } = this;
    const isNext = last?.run === run && (seq === last.seq + 1 || Number.isNaN(seq));
    const elapsed = (time - (last?.time ?? NaN)) / 1000;
    const seconds = isNext && interval > 0 ? interval : elapsed;
    const most = Math.max(GAP, INTERVALS * (last?.interval || 1));
    this.last = { run, seq, time, interval };
    if (last?.run === run && seconds > 0 && seconds <= most) {
      this.time += seconds;
      return seconds;
    }
    this.host = new HostSignals();
    this.guests = this.newGuests();
    this.symptoms = new Symptoms();
    this.leaders = new Map();
    this.held = new Map();
    this.time = 0;
    return interval > 0 ? interval : 1;
  }

  private follow(sample: Sample, seconds: number): void {
    const weight = weightOf(seconds);
    this.host.follow(sample.host, weight);
    const signals = this.guests.follow(sample.guests);
    for (let index = 0; index < signals.length; index++)
      signals[index]?.follow(sample.guests[index] as GuestRows, seconds, weight);
  }

  /** Nobody knows how long the guests of a first sample have been running. */
  private newGuests(): Followed<GuestRows, GuestSignals> {
    return new Followed(
      ({ guest }) => guest.key,
      () => new GuestSignals(this.time > 0),
    );
  }

  private situationOf({ agent }: Sample, seconds: number): Situation {
    const before = this.leaders;
    const leaders = (this.leaders = new Map<string, Sticky<string>>());
    return {
      time: this.time,
      host: this.host,
      guests: this.guests.all,
      symptoms: this.symptoms,
      own: (agent.row.values[OWN_CPU] ?? NaN) / seconds / 10,
      leader: (cause) => {
        const leader = leaders.get(cause) ?? before.get(cause) ?? new Sticky<string>();
        leaders.set(cause, leader);
        return leader;
      },
    };
  }

  /** One verdict for all findings of one rule and cause, the gravest first. */
  private verdictsOf(findings: readonly Finding[]): readonly Verdict[] {
    const groups = new Map<string, Finding[]>();
    for (const finding of findings) {
      const key = `${finding.rule} ${finding.cause}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [finding]);
      else group.push(finding);
    }
    const before = this.held;
    this.held = new Map();
    for (const [key, group] of groups) this.held.set(key, this.holds(before.get(key), group));
    return [...this.held.values()]
      .sort((a, b) => a.verdict.class - b.verdict.class || b.score - a.score)
      .map(({ verdict }) => verdict);
  }

  private holds(held: Held | undefined, group: Finding[]): Held {
    group.sort((a, b) => b.score - a.score);
    const [worst] = group as [Finding];
    const { time } = this;
    const told = worst.tell(group);
    const victims = group.flatMap(({ guest, device, suffers }) =>
      guest === undefined ? [] : [{ guest: guest.rows, device, suffers }],
    );
    const score = group.reduce((sum, each) => sum + each.score, 0);
    const isTold = held !== undefined && time - held.told < STAYS;
    const isAlike = held !== undefined && score < held.score * REORDERS && score > held.score / REORDERS;
    const since = held?.since ?? time;
    const verdict: Verdict = {
      rule: worst.rule,
      class: worst.class,
      subject: held?.verdict.subject ?? subjectOf(group),
      text: isTold ? held.verdict.text : sentence(told),
      age: time - since,
      victims,
      takers: told.takers ?? [],
    };
    return { since, told: isTold ? held.told : time, score: isAlike ? held.score : score, verdict };
  }
}

/** The identity of a verdict. */
function idOf({ rule, subject }: Verdict): string {
  return `${rule} ${subject}`;
}

/** The guest, with the device where it is one; what several guests share, or the part of the host. */
function subjectOf([first]: readonly Finding[]): string {
  const { guest, device, cause = '' } = first ?? {};
  if (guest === undefined || !cause.startsWith(guest.key)) return cause;
  return device === undefined ? fullLabel(guest) : `${fullLabel(guest)} ${device}`;
}

/** Leaves out what another finding of the same guest explains: a guest that hangs, or does not get to run. */
function relevant(findings: readonly Finding[]): readonly Finding[] {
  const hung = new Set(findings.filter(({ rule }) => rule === 'hung').map(({ guest }) => guest));
  const starved = new Set(findings.filter(({ rule }) => starving.has(rule)).map(({ guest }) => guest));
  return findings.filter(
    ({ rule, guest }) =>
      guest === undefined ||
      rule === 'hung' ||
      !(hung.has(guest) || (ofStarving.has(rule) && starved.has(guest))),
  );
}
