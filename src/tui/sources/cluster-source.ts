import type { ClusterSample } from '../../cluster/cluster-sample.ts';
import type { Placement } from '../../cluster/merge.ts';
import type { NodeSource } from '../../cluster/node-source.ts';
import { MomentMaker } from '../moments/moment-maker.ts';
import type { Moment } from '../moments/moment.ts';
import { Past } from '../moments/past.ts';
import { ScrollBack } from '../moments/scroll-back.ts';
import type { Source, SourceCommand } from './source.ts';

/** The samples of several nodes, as they are taken, and those that were: there is no history of several hosts. */
export class ClusterSource implements Source {
  readonly commands: readonly SourceCommand[];
  private readonly maker: MomentMaker;
  private readonly scrollBack: ScrollBack;

  /**
   * @param follow told which guests are looked at
   * @param placement tells on which node of a cluster a guest is
   */
  constructor(
    readonly interval: number,
    private readonly follow: NonNullable<NodeSource['follow']>,
    placement: Placement | undefined,
    private readonly stop: AbortController,
  ) {
    this.maker = new MomentMaker(placement);
    this.scrollBack = new ScrollBack(new Past(), () => {
      this.maker.release();
    });
    this.commands = this.scrollBack.commands;
  }

  get note(): readonly string[] {
    return this.scrollBack.note;
  }

  /** Takes what the nodes told; has read it when this returns. @returns the moment that is to be shown */
  take(cluster: ClusterSample): Moment {
    return this.scrollBack.take(this.maker.take(cluster));
  }

  /** Resolves when all keys pressed so far have had their effect. */
  idle(): Promise<void> {
    return this.scrollBack.idle();
  }

  watch(guests: ReadonlySet<string>, expanded: ReadonlySet<string>): void {
    this.follow(guests, expanded);
  }

  quit(): void {
    this.stop.abort();
  }
}
