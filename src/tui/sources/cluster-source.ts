import type { NodeSource } from '../../cluster/node-source.ts';
import type { Source, SourceCommand } from './source.ts';

/** The samples of several nodes, as they are taken. */
export class ClusterSource implements Source {
  readonly note: readonly string[] = [];
  readonly commands: readonly SourceCommand[] = [];

  /** @param follow told which guests are looked at */
  constructor(
    readonly interval: number,
    private readonly follow: NonNullable<NodeSource['follow']>,
    private readonly stop: AbortController,
  ) {}

  watch(guests: ReadonlySet<string>, expanded: ReadonlySet<string>): void {
    this.follow(guests, expanded);
  }

  quit(): void {
    this.stop.abort();
  }
}
