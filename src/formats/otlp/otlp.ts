import { slots } from '../../catalogue/catalogue.ts';
import type { Histogram } from '../../catalogue/row.ts';
import type { Sample } from '../../sampling/sample.ts';
import { PerCollectors } from '../shared/columns.ts';
import type { Printer, PrinterSettings } from '../printer.ts';
import { isPublished } from '../prometheus/families.ts';
import { ProtobufWriter } from '../protobuf/protobuf-writer.ts';
import { CUMULATIVE, field } from './fields.ts';
import { otlpMetrics } from './metrics.ts';
import type { OtlpMetric, PointSource } from './metrics.ts';
import { RequestWriter } from './request-writer.ts';
import type { MetricHead } from './request-writer.ts';
import { PointRows, attributeBytes, timeBytes } from './rows.ts';
import type { PointRow } from './rows.ts';
import { startKind } from './start-times.ts';
import type { StartTimes } from './start-times.ts';

/** Bytes of a double with its tag. */
const DOUBLE = 9;
const none = Buffer.alloc(0);

const { host_name: NAME, host_uuid: UUID } = slots('host', 'host');

interface ReadyMetric extends MetricHead {
  readonly sources: readonly ReadySource[];
}

interface ReadySource extends PointSource {
  /** What all its points have in common, as fields. */
  readonly common: Buffer;
  /** Which start its points have, of VMs and of containers; a level has none. */
  readonly start: Readonly<Record<'vm' | 'container', keyof StartTimes | undefined>>;
  /** Counts of it in one base unit. */
  readonly parts: number;
}

/**
 * Prints a sample as metrics of OpenTelemetry, in protobuf: each record is an ExportMetricsServiceRequest of the host
 * (resource), with a point for each guest and device, and records put together are one too. What Prometheus has as a counter is
 * a cumulative sum with its start, a level or a peak a gauge. What is not known has no point.
 *
 * Source: opentelemetry-proto 1.5, docs/specification.md
 */
export class OtlpPrinter implements Printer {
  private readonly rows: PointRows;
  private readonly metrics: PerCollectors<readonly ReadyMetric[]>;
  private readonly request = new RequestWriter();
  private readonly scratch = new ProtobufWriter();
  /** The time of the sample, as a field of a point of either kind. */
  private time: Buffer = none;

  constructor({ verbose, devices, peaks }: Pick<PrinterSettings, 'verbose' | 'devices' | 'peaks'>) {
    this.rows = new PointRows(devices);
    this.metrics = new PerCollectors((collectors) =>
      otlpMetrics({ verbose, devices }, collectors, peaks).map(readyMetric),
    );
  }

  print(sample: Sample): readonly Buffer[] {
    const { request } = this;
    const rows = this.rows.of(sample);
    this.time = timeBytes(this.scratch, field.point.time, sample.time);
    request.begin(this.resourceOf(sample));
    for (const metric of this.metrics.get(sample.collectors)) {
      request.beginMetric(metric);
      for (const source of metric.sources) {
        for (const row of rows[source.metric.scope]) {
          if (source.guests === 'all' || row.isContainer === (source.guests === 'containers'))
            this.writePoint(source, row);
        }
      }
    }
    return request.end();
  }

  private writePoint(source: ReadySource, point: PointRow): void {
    const { metric, from, factor, parts, common, device } = source;
    const { row, devices } = point;
    if (!isPublished(source, row, devices)) return;
    if (from === 'histograms') {
      this.writeHistogram(source, point, row.histograms?.get(metric.slot) as Histogram);
      return;
    }
    const value = (from === 'counters' ? row.counters : row.values)[metric.slot] ?? NaN;
    const { time } = this;
    const start = startField(source, point);
    const attributes = point.attributes(field.point.attributes, device);
    const out = this.request.next();
    out.sized(field.data.points, start.length + time.length + DOUBLE + attributes.length + common.length);
    out.append(start);
    out.append(time);
    out.double(field.point.value, (value * factor) / parts);
    out.append(attributes);
    out.append(common);
  }

  private writeHistogram(source: ReadySource, point: PointRow, { bounds, counts, sum }: Histogram): void {
    const attributes = point.attributes(field.histogramPoint.attributes, source.device);
    let count = 0;
    for (const each of counts) count += each;
    const out = this.request.next();
    const begin = out.begin(field.data.points);
    out.append(startField(source, point));
    out.append(this.time);
    out.fixed64(field.histogramPoint.count, BigInt(count));
    out.double(field.histogramPoint.sum, sum);
    out.packedFixed64(field.histogramPoint.bucketCounts, counts);
    out.packedDoubles(field.histogramPoint.bounds, bounds);
    out.append(attributes);
    out.append(source.common);
    out.end(begin);
  }

  /** The host. */
  private resourceOf({ host: { row } }: Sample): Buffer {
    const name = row.texts[NAME];
    return attributeBytes(this.scratch, field.resource.attributes, [
      ['service.name', 'proxtop'],
      ['service.instance.id', name],
      ['host.name', name],
      ['host.id', row.texts[UUID]],
    ]);
  }
}

function startField({ start }: ReadySource, { start: fields, isContainer }: PointRow): Buffer {
  const kind = start[isContainer ? 'container' : 'vm'];
  return kind === undefined ? none : fields[kind];
}

function readyMetric({ name, description, unit, instrument, sources }: OtlpMetric): ReadyMetric {
  const out = new ProtobufWriter();
  out.string(field.metric.name, name);
  out.string(field.metric.description, description);
  if (unit !== '') out.string(field.metric.unit, unit);
  const head = out.take();
  if (instrument !== 'gauge') out.int64(field.data.temporality, CUMULATIVE);
  if (instrument === 'counter') out.int64(field.data.isMonotonic, 1);
  const temporality = out.take();
  const isHistogram = instrument === 'histogram';
  const attributes = isHistogram ? field.histogramPoint.attributes : field.point.attributes;
  return {
    head,
    data: dataField[instrument],
    temporality,
    sources: sources.map((source) => ({
      ...source,
      common: attributeBytes(out, attributes, source.attributes),
      start: startKinds(source),
      parts: 10 ** source.decimals,
    })),
  };
}

const dataField = {
  gauge: field.metric.gauge,
  counter: field.metric.sum,
  updowncounter: field.metric.sum,
  histogram: field.metric.histogram,
} as const;

/** Histograms are added up, because QEMU clears them when they are requested again. */
function startKinds({ from, metric }: PointSource): ReadySource['start'] {
  if (from === 'values') return { vm: undefined, container: undefined };
  if (from === 'histograms') return { vm: 'sums', container: 'sums' };
  return { vm: startKind(metric, false), container: startKind(metric, true) };
}
