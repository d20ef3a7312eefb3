import type { DiskReading } from '../../guests/guest.ts';
import { diskCounters } from '../../guests/guest.ts';
import { growth } from '../../kernel/base/counters.ts';
import type { HistogramKind, LatencyHistogram } from '../../qmp/latency-histogram.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { Histogram, Row } from '../../catalogue/row.ts';

const to = slots('disk', 'vm_disk');
const [NS_PER_MS, NS_PER_S] = [1e6, 1e9];
/** Operations that a quantile needs: some must lie beyond it, or it is that of one operation. */
const [LEAST_MEDIAN, LEAST_P99] = [20, 200];

/** One kind of operations: who counts it, and where the results go. */
interface Tail {
  readonly kind: HistogramKind;
  readonly time: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const at = (name: (typeof diskCounters)[number]): number => diskCounters.indexOf(name);
const kinds: readonly Tail[] = [
  {
    kind: 'rd',
    time: at('rdTime'),
    p50: to.disk_lat_rd_p50,
    p99: to.disk_lat_rd_p99,
    max: to.disk_lat_rd_max,
  },
  {
    kind: 'wr',
    time: at('wrTime'),
    p50: to.disk_lat_wr_p50,
    p99: to.disk_lat_wr_p99,
    max: to.disk_lat_wr_max,
  },
  {
    kind: 'flush',
    time: at('flTime'),
    p50: to.disk_lat_fl_p50,
    p99: to.disk_lat_fl_p99,
    max: to.disk_lat_fl_max,
  },
];

/**
 * What share `q` of the operations took no longer than, ns: linear within a bin, as Prometheus has it. Of the last bin, which
 * has no upper end, its lower end.
 * @param bins operations in each
 * @param operations in all of them, more than 0
 */
export function quantile(
  boundaries: readonly number[],
  bins: ArrayLike<number>,
  operations: number,
  q: number,
): number {
  let left = q * operations;
  for (const [i, upper] of boundaries.entries()) {
    const count = bins[i] as number;
    const lower = boundaries[i - 1] ?? 0;
    if (count > 0 && left <= count) return lower + (upper - lower) * (left / count);
    left -= count;
  }
  return boundaries.at(-1) ?? NaN;
}

/** The distribution of one kind of operations of one disk. */
class Distribution {
  /** ms; NaN where not known. */
  p50 = NaN;
  p99 = NaN;
  max = NaN;
  readonly total: Histogram;
  private readonly grown: Float64Array;

  constructor(
    readonly tail: Tail,
    private bins: LatencyHistogram,
  ) {
    this.total = {
      bounds: bins.boundaries.map((ns) => ns / NS_PER_S),
      counts: new Float64Array(bins.bins.length),
      sum: 0,
    };
    this.grown = new Float64Array(bins.bins.length);
  }

  /** Whether a histogram counts between the same boundaries. */
  isLike({ boundaries }: LatencyHistogram): boolean {
    const own = this.bins.boundaries;
    return own.length === boundaries.length && own.every((bound, i) => bound === boundaries[i]);
  }

  /** @param time ns that the operations took since the last reading; NaN where it started again */
  take(bins: LatencyHistogram, time: number): void {
    const operations = this.grow(bins);
    const { boundaries } = bins;
    this.bins = bins;
    this.p50 = this.p99 = this.max = NaN;
    // Somebody set the counts back: what they counted before that is not known.
    if (!(operations >= 0 && time >= 0)) return;
    const { counts } = this.total;
    for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + (this.grown[i] as number);
    this.total.sum += time / NS_PER_S;
    if (operations === 0) return;
    const ms = (q: number): number => quantile(boundaries, this.grown, operations, q) / NS_PER_MS;
    if (operations >= LEAST_MEDIAN) this.p50 = ms(0.5);
    if (operations >= LEAST_P99) this.p99 = ms(0.99);
    const highest = this.grown.findLastIndex((count) => count > 0);
    this.max = (boundaries[highest] ?? boundaries.at(-1) ?? NaN) / NS_PER_MS;
  }

  /** Operations since the last reading; NaN where a bin has fewer than before. */
  private grow({ bins }: LatencyHistogram): number {
    let operations = 0;
    for (const [i, count] of bins.entries()) {
      const grown = count - (this.bins.bins[i] as number);
      if (grown < 0) return NaN;
      this.grown[i] = grown;
      operations += grown;
    }
    return operations;
  }
}

/** How the latencies of one virtual disk are distributed, where QEMU counts that. */
export class DiskTails {
  private before: DiskReading | undefined;
  private known: readonly Distribution[] = [];
  private totals: ReadonlyMap<number, Histogram> | undefined;

  /** Takes a new reading. */
  take(disk: DiskReading): void {
    const { before, known } = this;
    this.before = disk;
    if (disk.histograms === undefined && known.length === 0) return;
    this.known = kinds.flatMap((tail) => {
      const bins = disk.histograms?.[tail.kind];
      if (bins === undefined) return [];
      const same = known.find((each) => each.tail === tail && each.isLike(bins));
      if (same === undefined || before === undefined) return [new Distribution(tail, bins)];
      same.take(bins, growth(before.counters, disk.counters, tail.time));
      return [same];
    });
    this.totals = new Map(this.known.map(({ tail, total }) => [tail.p99, total]));
  }

  /** Sets what the last two readings tell. */
  set(row: Row): void {
    for (const { tail, p50, p99, max } of this.known) {
      row.values[tail.p50] = p50;
      row.values[tail.p99] = p99;
      row.values[tail.max] = max;
    }
    row.histograms = this.totals;
  }
}
