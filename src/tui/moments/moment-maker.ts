import type { Sample } from '../../sampling/sample.ts';
import { Verdicts } from '../../verdicts/verdicts.ts';
import { RecentValues } from '../analysis/recent-values.ts';
import { Snapshots } from '../snapshot.ts';
import { momentOf } from './moment.ts';
import type { Moment } from './moment.ts';

/** Makes moments of samples that follow each other. The rows of a moment are used again for the next one. */
export class MomentMaker {
  readonly recent = new RecentValues();
  private readonly snapshots = new Snapshots();
  private readonly verdicts = new Verdicts();

  /** Copies a sample and judges it; has read it when this returns. */
  take(sample: Sample): Moment {
    const copy = this.snapshots.copy(sample);
    this.recent.add(copy);
    const { verdicts } = this.verdicts.add(copy);
    return momentOf(copy, { verdicts, isWarm: this.verdicts.isWarm, recent: this.recent });
  }

  /** Copies a sample of which it is known what was found when it was judged. @param verdicts are made from the copy */
  again(sample: Sample, isWarm: boolean, verdicts: (copy: Sample) => Moment['verdicts']): Moment {
    const copy = this.snapshots.copy(sample);
    return momentOf(copy, { verdicts: verdicts(copy), isWarm, recent: this.recent });
  }

  /** The last moment stays as it is, for as long as it is shown. */
  release(): void {
    this.snapshots.release();
  }
}
