import type { MeasuringName } from '../catalogue/catalogue.ts';

/** What is kept of the samples on this host, so that they can be looked at afterwards. */
export interface HistorySettings {
  /** Where it is kept; of one process alone. */
  readonly directory: string;
  /** Seconds that a record stands for. */
  readonly interval: number;
  /** Seconds after which a file is removed. */
  readonly keep: number;
  /** Bytes that all files take at most. */
  readonly maxBytes: number;
  /** Whose values it holds, in the order of the catalogue; more than those of outputs, perhaps. */
  readonly collectors: readonly MeasuringName[];
}
