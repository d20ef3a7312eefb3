import type { Row } from '../../catalogue/row.ts';
import type { GuestRows, Sample } from '../../sampling/sample.ts';
import { isMerged } from '../../cluster/merge.ts';
import type { Verdict } from '../../verdicts/verdict.ts';
import { Verdicts } from '../../verdicts/verdicts.ts';

/** What is known of one host. */
interface Judged {
  readonly verdicts: Verdicts;
  run: string;
  seq: number;
}

/** The verdicts of a view: those of the host, or of each node by itself, so that none blames a guest of another one. */
export class NodeVerdicts {
  private judged = new Map<string, Judged>();
  private current: readonly Verdict[] = [];

  /** The gravest first. */
  get now(): readonly Verdict[] {
    return this.current;
  }

  /** Whether enough was seen for verdicts of every kind. */
  get isWarm(): boolean {
    return [...this.judged.values()].every(({ verdicts }) => verdicts.isWarm);
  }

  /** Adds the sample of a node before those of all nodes are added: while its rows are in the caches of the CPU. */
  judge(name: string, sample: Sample): void {
    this.addTo(this.judged, name, sample);
  }

  /** Adds a sample; has read it when this returns. Of several nodes those that were added already stand as they are. */
  add(sample: Sample): void {
    const before = this.judged;
    this.judged = new Map();
    if (!isMerged(sample)) {
      this.current = this.addTo(before, '', sample);
      return;
    }
    // Verdicts name the guests of a node; the view knows them by what they are among those of all nodes.
    let known: ReadonlyMap<Row, GuestRows> | undefined;
    const merged = (guest: GuestRows): GuestRows => {
      known ??= new Map(sample.guests.map((each) => [each.row, each]));
      return known.get(guest.row) ?? guest;
    };
    const all = sample.nodes.flatMap((node) => {
      const found = node.sample === undefined ? [] : this.addTo(before, node.name, node.sample);
      return found.map((verdict) => ({
        ...verdict,
        text: `${node.name}: ${verdict.text}`,
        victims: verdict.victims.map((victim) => ({
          ...victim,
          guest: merged(victim.guest),
        })),
        takers: verdict.takers.map((taker) => ({
          ...taker,
          guest: taker.guest && merged(taker.guest),
        })),
      }));
    });
    this.current = all.sort((one, other) => one.class - other.class);
  }

  private addTo(before: ReadonlyMap<string, Judged>, name: string, sample: Sample): readonly Verdict[] {
    const judged = before.get(name) ?? { verdicts: new Verdicts(), run: '', seq: NaN };
    this.judged.set(name, judged);
    // A node without a new sample is unchanged.
    if (name === '' || judged.run !== sample.run || judged.seq !== sample.seq) judged.verdicts.add(sample);
    judged.run = sample.run;
    judged.seq = sample.seq;
    return judged.verdicts.now;
  }
}
