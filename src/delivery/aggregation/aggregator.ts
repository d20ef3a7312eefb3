import type { Sample, GuestRows } from '../../sampling/sample.ts';
import type { GuestIdentity } from '../../guests/guest.ts';
import { TreeMean } from './tree-mean.ts';

interface GuestMean {
  /** As in the last sample that had it. */
  guest: GuestIdentity;
  twin: boolean;
  began: GuestRows['began'];
  /** The last sample that had it. */
  seq: number;
  readonly mean: TreeMean<'vm'>;
}

/**
 * Makes one sample of those of an interval: means, the last levels, peaks. Intervals end at whole multiples of their length
 * on the wall clock, as ticks do. A guest that ended meanwhile is in it with what it did until then.
 */
export class Aggregator {
  private host: TreeMean<'host'> | undefined;
  private agent: TreeMean<'agent'> | undefined;
  private readonly guests = new Map<string, GuestMean>();
  /** Which multiple of the length the interval ends at. */
  private number = NaN;
  private run = '';
  private seconds = 0;
  /** The shortest time between two samples of this run, that between two ticks or less; 0 where not known. */
  private tick = 0;
  private last: Sample | undefined;

  /** @param length of an interval, seconds */
  constructor(private readonly length: number) {}

  /**
   * Takes a sample.
   *
   * @param emit is given the sample of each interval that ends by it, to be read before it returns
   */
  add(sample: Sample, emit: (sample: Sample) => void): void {
    const { run } = sample;
    if (run !== this.run) {
      this.end(emit);
      this.run = run;
      this.tick = 0;
    }
    // As it is printed, so that others can compute the same.
    const seconds = sample.interval > 0 ? Math.round(sample.interval * 1000) / 1000 : 0;
    const tick = (this.tick = this.tick === 0 ? seconds : Math.min(this.tick, seconds || this.tick));
    // A tick that is handled late still belongs to the interval that it ends.
    const time = sample.time / 1000 - tick / 2;
    const number = Math.ceil(time / this.length);
    if (number !== this.number) this.end(emit);
    this.number = number;
    this.seconds += seconds;
    this.last = sample;
    (this.host ??= new TreeMean('host', sample.host)).add(sample.host, seconds);
    (this.agent ??= new TreeMean('agent', sample.agent)).add(sample.agent, seconds);
    for (const rows of sample.guests) this.addGuest(rows, sample.seq, seconds);
    if (Math.ceil((time + tick) / this.length) !== number) this.end(emit);
  }

  /** Ends the interval before its time. */
  end(emit: (sample: Sample) => void): void {
    const { last, host, agent } = this;
    if (last === undefined || host === undefined || agent === undefined) return;
    host.finish();
    agent.finish();
    for (const { mean } of this.guests.values()) mean.finish();
    emit({
      ...last,
      interval: this.seconds > 0 ? this.seconds : NaN,
      host: host.tree,
      agent: agent.tree,
      guests: this.inOrder(last),
    });
    host.clear();
    agent.clear();
    for (const [key, { mean, seq }] of this.guests) {
      if (seq === last.seq) mean.clear();
      else this.guests.delete(key);
    }
    this.seconds = 0;
    this.last = undefined;
  }

  private addGuest(rows: GuestRows, seq: number, seconds: number): void {
    const { guest, twin, began } = rows;
    let known = this.guests.get(guest.key);
    if (known === undefined) {
      known = { guest, twin, began, seq, mean: new TreeMean('vm', rows) };
      this.guests.set(guest.key, known);
    }
    known.guest = guest;
    known.twin = twin;
    known.began = began;
    known.seq = seq;
    known.mean.add(rows, seconds);
  }

  /** Those that run as in the last sample, then those that ended in the interval. */
  private inOrder({ guests, seq }: Sample): readonly GuestRows[] {
    const present = guests.flatMap(({ guest }) => this.guests.get(guest.key) ?? []);
    const ended = [...this.guests.values()].filter((guest) => guest.seq !== seq && !guest.mean.isEmpty);
    return [...present, ...ended].map(({ guest, twin, began, mean }) => ({
      guest,
      twin,
      ...(began !== undefined && { began }),
      ...mean.tree,
    }));
  }
}
