import { slots } from '../catalogue/catalogue.ts';
import type { Thresholds } from '../config/thresholds.ts';
import type { Span } from '../history/span.ts';
import type { GuestRows, Sample } from '../sampling/sample.ts';
import { bucketsIn, bucketsOf } from './buckets.ts';
import type { Buckets } from './buckets.ts';
import { CoverageCounter } from './coverage.ts';
import type { Coverage } from './coverage.ts';
import { Episodes } from './episodes.ts';
import type { Trouble } from './episodes.ts';
import { Mentions } from './mentions.ts';
import { idsOf, planOf } from './plan.ts';
import type { PlannedMetric } from './plan.ts';
import { Series } from './series.ts';
import { openSource } from './source.ts';

const { host_name: hostName } = slots('host', 'host');

/** A guest in a span, whatever it was started how many times. */
export interface ReportedGuest {
  /** As verdicts call it: `3102 postgres-main`. */
  label: string;
  readonly series: Series;
}

/** All that a report tells. */
export interface Collected {
  readonly host: string;
  readonly buckets: Buckets;
  readonly hostPlan: readonly PlannedMetric[];
  readonly guestPlan: readonly PlannedMetric[];
  readonly hostSeries: Series;
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
    const hostSeries = new Series(hostPlan, buckets.count);
    const guests = new Guests(guestPlan, buckets.count);
    const episodes = new Episodes();
    const counter = new CoverageCounter();
    let host = '';
    for await (const sample of source.samples) {
      const length = sample.interval > 0 ? sample.interval : 1;
      const { first, last } = bucketsIn(buckets, sample.time, length);
      const seconds = length / (last - first + 1);
      host = sample.host.row.texts[hostName] ?? host;
      for (let bucket = first; bucket <= last; bucket++) {
        hostSeries.add(bucket, sample.host.row.values, seconds);
        guests.add(bucket, sample, seconds);
      }
      episodes.add(sample);
      counter.add(sample);
    }
    const { troubles } = episodes;
    return {
      host,
      buckets,
      hostPlan,
      guestPlan,
      hostSeries,
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
    for (const { guest, row } of sample.guests) {
      const { uuid, vmid = '', name } = guest;
      // Of one that ended just before an interval, records of early versions have a row without anything.
      if (uuid === '' && name === '') continue;
      // Two of one UUID, and without anything else to tell them apart.
      let found = this.named(`${uuid} ${vmid}`, guest);
      for (let twin = 2; present.has(found); twin++) found = this.named(`${uuid} ${vmid} ${twin}`, guest);
      present.add(found);
      found.label = vmid === '' ? name || uuid : `${vmid} ${name}`;
      found.series.add(bucket, row.values, seconds);
    }
  }

  private named(key: string, { name }: GuestRows['guest']): ReportedGuest {
    let guest = this.known.get(key);
    if (guest === undefined) {
      guest = { label: name, series: new Series(this.plan, this.buckets) };
      this.known.set(key, guest);
    }
    return guest;
  }
}

/** Those that troubles name as subjects first, then those that were above a level longest, then by name. */
function inOrder(
  guests: readonly ReportedGuest[],
  plan: readonly PlannedMetric[],
  troubles: readonly Trouble[],
): readonly ReportedGuest[] {
  const mentions = new Mentions(guests.map(({ label }) => label));
  const suffered = new Float64Array(guests.length);
  for (const { subject, text, seconds } of troubles)
    for (const guest of new Set([...mentions.first(subject), ...mentions.first(text)]))
      suffered[guest] = (suffered[guest] as number) + seconds;
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
