import type { Sample } from '../sampling/sample.ts';

/** How a printer lays out a sample: one record a cycle, or one a row. */
export type Layout = 'cycle' | 'event';

/** Unit of a timestamp in line protocol. */
export type Precision = 'ns' | 'ms' | 's';

/** What every printer is told when it is made. */
export interface PrinterSettings {
  readonly layout: Layout;
  /** Whether to print verbose metrics. */
  readonly verbose: boolean;
  /** Whether to print the rows per vCPU, disk and NIC. */
  readonly devices: boolean;
  /** Whether to write aligned columns and sizes for people (text only). */
  readonly human: boolean;
  /** Whose ids and units to use: ours, or those of the original program. */
  readonly names: 'proxtop' | 'original';
  /** Unit of the timestamps (influx only); ns where it is not given. */
  readonly precision?: Precision;
  /** Whether to print the peaks of samples that stand for an interval; not where it is not given. */
  readonly peaks?: boolean;
}

/** All of a sample in one record, for what reads it back. */
export const wholeSample = {
  layout: 'cycle',
  verbose: true,
  devices: true,
  human: false,
  names: 'proxtop',
} as const satisfies PrinterSettings;

/** Turns a sample into records; each record is whole by itself and, in a text format, ends with its newline. */
export interface Printer {
  print(sample: Sample): readonly Buffer[];
  /** What is printed from now on goes to a new place, such as a new file: headers are due again. */
  begin?(): void;
  /** Prints what it held back, at the end. */
  end?(): readonly Buffer[];
}
