import type { ClusterSample } from '../../cluster/cluster-sample.ts';
import { Merger } from '../../cluster/merge.ts';
import type { Placement } from '../../cluster/merge.ts';
import type { Sample } from '../../sampling/sample.ts';
import { NodeVerdicts } from '../analysis/node-verdicts.ts';
import { RecentValues } from '../analysis/recent-values.ts';
import { ClusterSnapshots } from './cluster-snapshots.ts';
import { Snapshots } from './snapshot.ts';
import { momentOf } from './moment.ts';
import type { Moment } from './moment.ts';

/** The input of a view: the sample of this host, or those of several nodes at a time. */
export type Given = Sample | ClusterSample;

/** Makes moments of samples that follow each other. The rows of a moment are used again for the next one. */
export class MomentMaker {
  readonly recent = new RecentValues();
  private readonly snapshots: Snapshots;
  private readonly clusters = new ClusterSnapshots();
  private readonly merger: Merger;
  private readonly verdicts = new NodeVerdicts();

  /**
   * @param placement tells on which node of a cluster a guest is
   * @param attend called now and then while a moment is made of a sample of this host; the one before stays as it is until then
   */
  constructor(
    placement?: Placement,
    private readonly attend?: () => void,
  ) {
    this.snapshots = new Snapshots(attend);
    this.merger = new Merger(placement);
  }

  /** Copies a sample and judges it; has read it when this returns. */
  take(given: Given): Moment {
    const copy = this.copy(given, (name, sample) => {
      this.verdicts.judge(name, sample);
    });
    this.recent.add(copy);
    this.attend?.();
    this.verdicts.add(copy);
    this.attend?.();
    const { now: verdicts, isWarm } = this.verdicts;
    return momentOf(copy, { verdicts, isWarm, recent: this.recent });
  }

  /** Copies a sample of which it is known what was found when it was judged. @param verdicts are made from the copy */
  again(given: Given, isWarm: boolean, verdicts: (copy: Sample) => Moment['verdicts']): Moment {
    const copy = this.copy(given, () => undefined);
    return momentOf(copy, { verdicts: verdicts(copy), isWarm, recent: this.recent });
  }

  /** The last moment stays unchanged while it is shown. */
  release(): void {
    this.snapshots.release();
    this.clusters.release();
  }

  private copy(given: Given, look: (name: string, sample: Sample) => void): Sample {
    return 'own' in given ? this.merger.merge(this.clusters.copy(given, look)) : this.snapshots.copy(given);
  }
}
