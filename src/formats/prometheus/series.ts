import { perScope } from '../../catalogue/define.ts';
import { isDevice } from '../../catalogue/entities.ts';
import type { Histogram, Row } from '../../catalogue/row.ts';
import type { Sample } from '../../sampling/sample.ts';
import { PerCollectors } from '../shared/columns.ts';
import { eachRow, twinRows } from '../shared/rows.ts';
import { described } from './described.ts';
import type { Extent, FamilyHead, SeriesSource } from './families.ts';
import { isPublished, publishedFamilies } from './families.ts';
import { ownLabels, pidLabel } from './labels.ts';
import type { LabelledRow, LabelledRows, Labels } from './labels.ts';

/**
 * A format in which series are written.
 *
 * @typeParam N what it keeps of a family
 * @typeParam L what it keeps of the labels of a row
 */
export interface SeriesFormat<N, L> {
  /** Called once for a family. */
  name(head: FamilyHead): N;
  /** @param own what names the row @param owner the labels of its VM, where it is of a part of one */
  labels(own: Labels, owner: L | undefined): L;
  /** The samples of a family follow. */
  begin(name: N): void;
  /** Those were all of them. */
  end(name: N): void;
  /** A level. @param of labels of its row; undefined where it is of no row @param more further labels */
  level(name: N, of: L | undefined, more: Labels, value: number): void;
  /** A counter. @param count in units of 10^-`decimals` @param label a further one */
  count(name: N, of: L, label: SeriesSource['label'], count: number, decimals: number): void;
  histogram(name: N, of: L, histogram: Histogram): void;
}

/** Rows whose series stand together, and the key of the guest that they are of; undefined: not of one guest. */
export interface SeriesGroup<L> {
  readonly key: string | undefined;
  readonly rows: LabelledRows<L>;
}

/**
 * Walks through the series of a sample: a family for each counter and level of the catalogue, in base units, with labels
 * that say whose it is. Counters are the readings themselves, never rates. What is not known has no sample.
 */
export class SeriesWalk<N, L> {
  private readonly families: PerCollectors<readonly { name: N; sources: readonly SeriesSource[] }[]>;
  private readonly describedNames = new Map<FamilyHead, N>();

  constructor(
    private readonly extent: Extent,
    private readonly format: SeriesFormat<N, L>,
  ) {
    this.families = new PerCollectors((collectors) =>
      publishedFamilies(extent, collectors).map((family) => ({
        name: format.name(family),
        sources: family.sources,
      })),
    );
  }

  /** All rows of a sample. */
  all(sample: Sample): SeriesGroup<L> {
    const rows = perScope((): LabelledRow<L>[] => []);
    this.label(sample, () => rows);
    return { key: undefined, rows };
  }

  /** First the rows that are of no guest, then those of each guest. */
  byGuest(sample: Sample): readonly SeriesGroup<L>[] {
    const keys = [undefined, ...sample.guests.map(({ guest }) => guest.key)];
    const groups = keys.map((key) => ({ key, rows: perScope((): LabelledRow<L>[] => []) }));
    let guest = 0;
    this.label(sample, (row, vm) => {
      if (row.scope === 'vm') guest++;
      return (groups[row.scope === 'vm' || vm !== undefined ? guest : 0] as (typeof groups)[0]).rows;
    });
    return groups;
  }

  /** Writes the series of some rows, family by family. */
  write(sample: Sample, { rows }: SeriesGroup<L>): void {
    const { format } = this;
    for (const { head, lines } of described(sample, rows)) {
      const name = this.describedName(head);
      format.begin(name);
      for (const { of, labels, value } of lines) format.level(name, of, labels, value);
      format.end(name);
    }
    for (const { name, sources } of this.families.get(sample.collectors)) {
      format.begin(name);
      for (const source of sources) this.writeSource(name, source, rows[source.metric.scope]);
      format.end(name);
    }
  }

  private writeSource(name: N, source: SeriesSource, rows: readonly LabelledRow<L>[]): void {
    const { format } = this;
    const { metric, from, factor, decimals, label } = source;
    const { slot } = metric;
    for (const { row, labels, devices } of rows) {
      if (!isPublished(source, row, devices)) continue;
      if (from === 'histograms') format.histogram(name, labels, row.histograms?.get(slot) as Histogram);
      else if (from === 'counters')
        format.count(name, labels, label, (row.counters[slot] ?? NaN) * factor, decimals);
      else format.level(name, labels, noLabels, (row.values[slot] ?? NaN) * factor);
    }
  }

  private label(
    sample: Sample,
    place: (row: Row, vm: Row | undefined) => Readonly<Record<Row['scope'], LabelledRow<L>[]>>,
  ): void {
    const twins = twinRows(sample);
    let owner: L | undefined;
    let devices: Row[] = [];
    eachRow(sample, this.extent.devices, (row, vm) => {
      const own = twins.has(row) ? [...ownLabels(row), ...pidLabel(row)] : ownLabels(row);
      const labels = this.format.labels(own, vm === undefined ? undefined : owner);
      if (row.scope === 'vm') owner = labels;
      // Devices stand behind what they are parts of.
      if (isDevice(row.scope)) devices.push(row);
      else devices = [];
      place(row, vm)[row.scope].push({ row, labels, devices: isDevice(row.scope) ? noDevices : devices });
    });
  }

  private describedName(head: FamilyHead): N {
    let name = this.describedNames.get(head);
    if (name === undefined) this.describedNames.set(head, (name = this.format.name(head)));
    return name;
  }
}

const noLabels: Labels = [];
const noDevices: readonly Row[] = [];
