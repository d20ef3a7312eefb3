import type { Span } from '../../history/span.ts';
import type { Coverage } from './coverage.ts';
import type { RankedTable } from './ranking.ts';

/** What `proxtop worst` found out. */
export interface Answer {
  /** The span that was asked for. */
  readonly span: Span;
  readonly coverage: Coverage;
  /** Records that were passed over because they are torn or damaged. */
  readonly skipped: number;
  readonly tables: readonly RankedTable[];
}
