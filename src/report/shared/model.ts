/** What the page is given besides the blocks of values; written as JSON by the maker, read by the page. */
export interface ReportData {
  /** What it is about: the name of the host, or how many. */
  readonly title: string;
  /** Names of the hosts, in the order of their values. */
  readonly hosts: readonly string[];
  /** Where the first bucket begins, ms since 1970. */
  readonly begin: number;
  /** Length of a bucket, seconds. */
  readonly seconds: number;
  readonly buckets: number;
  readonly zone: Zone;
  readonly metrics: readonly ReportMetric[];
  readonly hostPanels: readonly Panel[];
  readonly guestPanels: readonly Panel[];
  /** Names of the guests, in the order of their values: the one that suffered most first. */
  readonly guests: readonly string[];
}

/** The time zone of the report, as it was in its span: offsets from UTC in minutes, each from a time (ms) on. */
export interface Zone {
  readonly name: string;
  readonly offsets: readonly (readonly [from: number, minutes: number])[];
}

/** A metric whose values are in the report, one series for each host or one for each guest. */
export interface ReportMetric {
  /** `host.cpu_user`, also the name of its block. */
  readonly key: string;
  readonly title: string;
  /** What stands behind a number; `bytes` is scaled. */
  readonly unit: string;
  readonly meaning: string;
  /** Levels from which a value is a warning and bad; missing where there are none. */
  readonly warn?: number;
  readonly bad?: number;
}

/** Lines that are drawn into one plot. */
export interface Panel {
  readonly title: string;
  /** Keys of metrics. */
  readonly metrics: readonly string[];
}
