import { perScope } from '../../catalogue/define.ts';
import type { Sample } from '../../sampling/sample.ts';
import { ByteWriter } from '../byte-writer.ts';
import { PerCollectors } from '../columns.ts';
import { eachRow, twinRows } from '../rows.ts';
import { writeHistogram } from './buckets.ts';
import { described } from './described.ts';
import type { Extent, FamilyHead, SeriesSource } from './families.ts';
import { publishedFamilies } from './families.ts';
import { braced, joined, labelText, ownLabels, pidLabel } from './labels.ts';
import type { LabelledRow, LabelledRows } from './labels.ts';

const NEWLINE = 0x0a;

/** text: Prometheus's own format 0.0.4; openmetrics: OpenMetrics 1.0. They differ in what stands around the samples. */
export type PageFormat = 'text' | 'openmetrics';

/** A family with its bytes ready. */
interface ReadyFamily {
  readonly header: Readonly<Record<PageFormat, Buffer>>;
  readonly sample: Buffer;
  readonly sources: readonly SeriesSource[];
}

/**
 * Prints a sample as the page that Prometheus scrapes: a family for each counter and level of the catalogue, in base
 * units, with labels that say whose it is. Counters are the readings themselves, never rates. What is not known has no
 * sample. 200 VMs with all that is published by default take 5 ms of CPU (bench/printers.ts).
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/, OpenMetrics 1.0.
 */
export class PrometheusPage {
  private readonly extent: Extent;
  private readonly out = new ByteWriter();
  private readonly families: PerCollectors<readonly ReadyFamily[]>;

  constructor(extent: Extent) {
    this.extent = extent;
    this.families = new PerCollectors((collectors) =>
      publishedFamilies(extent, collectors).map((family) => ({
        header: headersOf(family),
        sample: Buffer.from(sampleName(family)),
        sources: family.sources,
      })),
    );
  }

  print(sample: Sample, format: PageFormat): Buffer {
    const out = this.out;
    const rows = this.label(sample);
    for (const { head, lines } of described(sample, rows)) {
      if (lines.length === 0) continue;
      out.append(headersOf(head)[format]);
      for (const [labels, value] of lines) out.text(`${sampleName(head)}${braced(labels)} ${value}\n`);
    }
    for (const { header, sample: name, sources } of this.families.get(sample.collectors)) {
      const begin = out.length;
      out.append(header[format]);
      const end = out.length;
      for (const source of sources) this.writeSource(name, source, rows[source.metric.scope]);
      if (out.length === end) out.truncate(begin);
    }
    if (format === 'openmetrics') out.text('# EOF\n');
    return out.take();
  }

  private writeSource(name: Buffer, source: SeriesSource, rows: readonly LabelledRow[]): void {
    const out = this.out;
    const { metric, from, factor, decimals, label } = source;
    const { slot } = metric;
    if (from === 'histograms') {
      for (const { row, labels } of rows) {
        const histogram = row.histograms?.get(slot);
        if (histogram !== undefined) writeHistogram(out, String(name), labels, histogram);
      }
      return;
    }
    const cumulative = from === 'counters';
    for (const { row, labels, bytes } of rows) {
      const number = (cumulative ? row.counters[slot] : row.values[slot]) ?? NaN;
      // A counter below 0 is none.
      if (!Number.isFinite(number) || (cumulative && number < 0)) continue;
      out.append(name);
      if (label === undefined) out.append(bytes);
      else out.text(`${braced(joined(labels, labelText([label])))} `);
      if (cumulative) out.decimal(number * factor, decimals);
      else out.number(number * factor);
      out.byte(NEWLINE);
    }
  }

  private label(sample: Sample): LabelledRows {
    const found = perScope((): LabelledRow[] => []);
    const twins = twinRows(sample);
    let owner = '';
    eachRow(sample, this.extent.devices, (row, vm) => {
      let labels = labelText(ownLabels(row));
      if (twins.has(row)) labels = joined(labels, labelText(pidLabel(row)));
      if (row.scope === 'vm') owner = labels;
      if (vm !== undefined) labels = joined(owner, labels);
      found[row.scope].push({ row, labels, bytes: Buffer.from(`${braced(labels)} `) });
    });
    return found;
  }
}

const suffixes = { counter: '_total', gauge: '', histogram: '', info: '_info' } as const;

/** The name of the samples of a family. */
export function sampleName({ name, type }: FamilyHead): string {
  return name + suffixes[type];
}

/** What stands before the samples: OpenMetrics speaks of the name without suffix, and knows units and infos. */
function headersOf(head: FamilyHead): Readonly<Record<PageFormat, Buffer>> {
  const { name, type, unit } = head;
  const help = head.help.replaceAll('\\', '\\\\').replaceAll('\n', ' ');
  const full = sampleName(head);
  const unitLine = unit === '' ? '' : `# UNIT ${name} ${unit}\n`;
  return {
    text: Buffer.from(`# HELP ${full} ${help}\n# TYPE ${full} ${type === 'info' ? 'gauge' : type}\n`),
    openmetrics: Buffer.from(
      `# HELP ${name} ${help.replaceAll('"', '\\"')}\n# TYPE ${name} ${type}\n${unitLine}`,
    ),
  };
}
