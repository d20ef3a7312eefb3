import type { Thresholds } from '../config/thresholds.ts';
import type { Span } from '../history/span.ts';
import { hostOf, onlyWatches, PerHost } from '../recording/hosts.ts';
import { RecordingError } from '../recording/errors.ts';
import type { GuestRows, Sample } from '../sampling/sample.ts';
import { bucketsIn, bucketsOf } from './buckets.ts';
import type { Buckets } from './buckets.ts';
import { CoverageCounter } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import { Episodes } from './episodes.ts';
import type { Trouble } from './episodes.ts';
import { TroubledGuests } from './mentions.ts';
import { idsOf, planOf } from './plan.ts';
import type { PlannedMetric } from './plan.ts';
import { Series } from './series.ts';
import { openSource } from './source.ts';

/** A guest in a span, whatever it was started how many times. One that moved to another host is another one there. */
export interface ReportedGuest {
  /** As verdicts call it: `3102 postgres-main`. */
  label: string;
  /** Where it ran. */
  readonly host: string;
  readonly series: Series;
}

/** A host in a span. */
export interface ReportedHost {
  /** As its samples tell it; '' where they do not. */
  readonly name: string;
  readonly series: Series;
}

/** All that a report tells. */
export interface Collected {
  /** By name: one, or those that were watched together. */
  readonly hosts: readonly ReportedHost[];
  readonly buckets: Buckets;
  readonly hostPlan: readonly PlannedMetric[];
  readonly guestPlan: readonly PlannedMetric[];
  /** Those that suffered longest first. */
  readonly guests: readonly ReportedGuest[];
  readonly troubles: readonly Trouble[];
  readonly coverage: Coverage;
  /** Records that could not be read. */
  readonly skipped: number;
}

/**
 * Reads the samples of a span, one after the other. What is kept is bounded by guests, metrics and buckets.
 *
 * @param path of a file, a pipe or the directory of a history, or `-`
 * @throws RecordingError for what cannot be read, or has no sample of that time
 */
export async function collect(path: string, span: Span, thresholds: Thresholds): Promise<Collected> {
  const hostPlan = planOf('host', thresholds);
  const guestPlan = planOf('vm', thresholds);
  const wanted = { host: idsOf('host', hostPlan), vm: idsOf('vm', guestPlan) };
  const source = await openSource(path, span, wanted);
  try {
    const { from, to, interval, skipped } = source;
    const buckets = bucketsOf(from, to, interval);
    const hosts = new PerHost(() => new Series(hostPlan, buckets.count));
    const guests = new Guests(guestPlan, buckets.count);
    const episodes = new Episodes();
    const counter = new CoverageCounter();
    for await (const sample of source.samples) {
      if (onlyWatches(sample)) continue;
      const length = sample.interval > 0 ? sample.interval : 1;
      const { first, last } = bucketsIn(buckets, sample.time, length);
      const seconds = length / (last - first + 1);
      const host = hosts.of(sample);
      for (let bucket = first; bucket <= last; bucket++) {
        host.add(bucket, sample.host.row.values, seconds);
        guests.add(bucket, sample, seconds);
      }
      episodes.add(sample);
      counter.add(sample);
    }
    if (hosts.all.length === 0) throw new RecordingError(`${path}: it tells of no host that was measured`);
    const { troubles } = episodes;
    return {
      hosts: hosts.all.map(([name, series]) => ({ name, series })),
      buckets,
      hostPlan,
      guestPlan,
      guests: inOrder(guests.all, guestPlan, troubles),
      troubles,
      coverage: counter.coverage,
      skipped: skipped.records,
    };
  } finally {
    await source.close();
  }
}

/** The guests of a span by who they are: a start or a stop makes no other one of it. */
class Guests {
  private readonly known = new Map<string, ReportedGuest>();

  constructor(
    private readonly plan: readonly PlannedMetric[],
    private readonly buckets: number,
  ) {}

  get all(): readonly ReportedGuest[] {
    return [...this.known.values()];
  }

  add(bucket: number, sample: Sample, seconds: number): void {
    const present = new Set<ReportedGuest>();
    const host = hostOf(sample);
    for (const { guest, row } of sample.guests) {
      const { uuid, vmid = '', name } = guest;
      // Of one that ended just before an interval, records of early versions have a row without anything.
      if (uuid === '' && name === '') continue;
      // Two of one UUID, and without anything else to tell them apart.
      let found = this.named(`${uuid} ${vmid}`, guest, host);
      for (let twin = 2; present.has(found); twin++)
        found = this.named(`${uuid} ${vmid} ${twin}`, guest, host);
      present.add(found);
      found.label = vmid === '' ? name || uuid : `${vmid} ${name}`;
      found.series.add(bucket, row.values, seconds);
    }
  }

  private named(identity: string, { name }: GuestRows['guest'], host: string): ReportedGuest {
    const key = `${host}\0${identity}`;
    let guest = this.known.get(key);
    if (guest === undefined) {
      guest = { label: name, host, series: new Series(this.plan, this.buckets) };
      this.known.set(key, guest);
    }
    return guest;
  }
}

/** A text about something on a host, which is named where there are several. */
export function onHost({ hosts }: Pick<Collected, 'hosts'>, host: string, text: string): string {
  return hosts.length > 1 ? `${host}: ${text}` : text;
}

/** What a report is about: a host, or how many. */
export function hostTitle({ hosts }: Pick<Collected, 'hosts'>): string {
  return hosts.length > 1 ? `${hosts.length} hosts` : (hosts[0]?.name ?? '');
}

/** Those that troubles name as subjects first, then those that were above a level longest, then by name. */
function inOrder(
  guests: readonly ReportedGuest[],
  plan: readonly PlannedMetric[],
  troubles: readonly Trouble[],
): readonly ReportedGuest[] {
  const mentions = new TroubledGuests(guests);
  const suffered = new Float64Array(guests.length);
  for (const trouble of troubles)
    for (const guest of mentions.first(trouble))
      suffered[guest] = (suffered[guest] as number) + trouble.seconds;
  const scores = guests.map((guest, index) => {
    const seconds = suffered[index] as number;
    const above = Math.max(0, ...plan.map((_, metric) => guest.series.above[metric] ?? 0));
    return { guest, seconds, above };
  });
  scores.sort(
    (a, b) =>
      b.seconds - a.seconds ||
      b.above - a.above ||
      a.guest.label.localeCompare(b.guest.label, 'en', { numeric: true }),
  );
  return scores.map(({ guest }) => guest);
}
