import { slots } from '../../catalogue/catalogue.ts';
import type { Histogram } from '../../catalogue/row.ts';
import type { Sample } from '../../sampling/sample.ts';
import type { Printer, PrinterSettings } from '../printer.ts';
import { ProtobufWriter } from '../protobuf/protobuf-writer.ts';
import { bucketEnds } from './buckets.ts';
import type { FamilyHead } from './families.ts';
import { labelValue } from './labels.ts';
import type { Labels } from './labels.ts';
import { sampleName } from './page.ts';
import { SeriesWalk } from './series.ts';
import type { SeriesFormat } from './series.ts';
import { StaleSeries } from './stale.ts';
import {
  LABEL_NAME,
  LABEL_VALUE,
  LABELS,
  METADATA,
  METADATA_HELP,
  METADATA_NAME,
  METADATA_TYPE,
  METADATA_UNIT,
  metricTypes,
  SAMPLES,
  TIMESERIES,
  TIMESTAMP,
  VALUE,
  valueBytes,
} from './write-request.ts';

const { host_name: HOST_NAME } = slots('host', 'host');

/** A label as it stands in a series. */
interface ReadyLabel {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The labels of a row, in the order of their names, which receivers demand. */
interface RowLabels {
  readonly list: readonly ReadyLabel[];
  readonly bytes: Buffer;
}

/** ms between two records with metadata, those of Prometheus; receivers forget what they were not told for a while. */
const METADATA_BEAT = 60_000;

/** The names of samples of a family, as labels, and what is said of it. */
interface ReadyNames {
  readonly own: Buffer;
  readonly bucket: Buffer;
  readonly sum: Buffer;
  readonly count: Buffer;
  /** Its type, help and unit, as field of a request. */
  readonly metadata: Buffer;
}

/**
 * Prints the series of the page for Prometheus as requests of its remote write 1.0: one record for host and agent, one
 * for each guest, which can be sent one behind the other in one request. Once a minute the former has the metadata, too (type, help
 * and unit), of all families that had a sample so far. The labels `job` and `instance`, which a scraper
 * adds to a page, are `proxtop` and the name of the host. A series that is gone gets the marker that says so.
 *
 * Source: https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
export class RemoteWritePrinter implements Printer {
  private readonly writer = new RemoteWriter();
  private readonly walk: SeriesWalk<ReadyNames, RowLabels>;
  private readonly stale = new StaleSeries();
  /** Time of the last sample whose record has metadata, ms since 1970. */
  private described = NaN;

  constructor({ verbose, devices }: PrinterSettings) {
    this.walk = new SeriesWalk({ verbose, devices }, this.writer);
  }

  print(sample: Sample): readonly Buffer[] {
    const { writer, walk } = this;
    writer.start(sample.host.row.texts[HOST_NAME], Math.round(sample.time));
    const groups = walk.byGuest(sample).map((group) => {
      walk.write(sample, group);
      return { key: group.key, record: writer.out.take() };
    });
    const gone = this.stale.markers(groups, writer.time);
    const [first, ...guests] = groups.map(({ record }) => record) as [Buffer, ...Buffer[]];
    return [this.withMetadata(first, sample.time), ...guests, gone].filter(({ length }) => length > 0);
  }

  /** Adds the metadata where it is time to. Where the clock was set, it is. */
  private withMetadata(record: Buffer, time: number): Buffer {
    if (Math.abs(time - this.described) < METADATA_BEAT) return record;
    this.described = time;
    return Buffer.concat([record, ...[...this.writer.seen].map(({ metadata }) => metadata)]);
  }
}

/** Writes series as messages. */
class RemoteWriter implements SeriesFormat<ReadyNames, RowLabels> {
  readonly out = new ProtobufWriter();
  /** The timestamp of all samples, as field of a sample. */
  time: Buffer = Buffer.alloc(0);
  /** Families that had a sample. */
  readonly seen = new Set<ReadyNames>();
  /** What all series have. */
  private base: RowLabels = inOrder([]);
  private instance: string | undefined;
  private begun = 0;

  /** @param time ms since 1970 */
  start(instance: string | undefined, time: number): void {
    this.out.int64(TIMESTAMP, time);
    this.time = this.out.take();
    if (instance !== this.instance || this.base.list.length === 0)
      this.base = inOrder(
        this.ready([
          ['job', 'proxtop'],
          ['instance', instance],
        ]),
      );
    this.instance = instance;
  }

  name(head: FamilyHead): ReadyNames {
    const name = sampleName(head);
    const [own, bucket, sum, count] = ['', '_bucket', '_sum', '_count'].map((suffix) =>
      this.label('__name__', name + suffix),
    ) as [Buffer, Buffer, Buffer, Buffer];
    return { own, bucket, sum, count, metadata: metadataOf(head) };
  }

  labels(own: Labels, owner: RowLabels | undefined): RowLabels {
    const before = owner ?? this.base;
    return own.length === 0 ? before : inOrder([...before.list, ...this.ready(own)]);
  }

  begin(): void {
    this.begun = this.out.length;
  }

  end(name: ReadyNames): void {
    if (this.out.length > this.begun) this.seen.add(name);
  }

  level({ own }: ReadyNames, of: RowLabels = this.base, more: Labels, value: number): void {
    this.series(own, of, more.length === 0 ? none : inOrder(this.ready(more)).list, value);
  }

  count(
    { own }: ReadyNames,
    of: RowLabels,
    label: Labels[number] | undefined,
    count: number,
    decimals: number,
  ): void {
    this.series(own, of, label === undefined ? none : this.ready([label]), count / 10 ** decimals);
  }

  histogram(
    { bucket, sum, count }: ReadyNames,
    of: RowLabels,
    { bounds, counts, sum: total }: Histogram,
  ): void {
    let below = 0;
    const ends = bucketEnds(bounds);
    for (const [index, added] of counts.entries()) {
      below += added;
      this.series(bucket, of, this.ready([['le', ends[index] ?? '+Inf']]), below);
    }
    this.series(sum, of, none, total);
    this.series(count, of, none, below);
  }

  /** @param more further labels, in order */
  private series(name: Buffer, of: RowLabels, more: readonly ReadyLabel[], value: number): void {
    const { out, time } = this;
    const sample = valueBytes + time.length;
    // The tag of a sample and its length are a byte each.
    let length = name.length + of.bytes.length + 2 + sample;
    for (const { bytes } of more) length += bytes.length;
    out.sized(TIMESERIES, length);
    out.append(name);
    let from = 0;
    for (const label of more) {
      const to = endBefore(of, label.name);
      out.append(of.bytes.subarray(from, to));
      out.append(label.bytes);
      from = to;
    }
    out.append(from === 0 ? of.bytes : of.bytes.subarray(from));
    out.sized(SAMPLES, sample);
    out.double(VALUE, value);
    out.append(time);
  }

  /** An empty value means the same as no label. */
  private ready(labels: Labels): ReadyLabel[] {
    return labels.flatMap(([name, value]) =>
      value === undefined || value === '' ? [] : [{ name, bytes: this.label(name, value) }],
    );
  }

  private label(name: string, value: string): Buffer {
    scratch.string(LABEL_NAME, name);
    scratch.string(LABEL_VALUE, labelValue(value));
    const content = scratch.take();
    scratch.bytes(LABELS, content);
    return scratch.take();
  }
}

/** What the page says of a family in its text format, as field of a request. */
function metadataOf(head: FamilyHead): Buffer {
  const { type, help, unit } = head;
  scratch.int64(METADATA_TYPE, metricTypes[type === 'info' ? 'gauge' : type]);
  scratch.string(METADATA_NAME, sampleName(head));
  scratch.string(METADATA_HELP, help);
  if (unit !== '') scratch.string(METADATA_UNIT, unit);
  const content = scratch.take();
  scratch.bytes(METADATA, content);
  return scratch.take();
}

const scratch = new ProtobufWriter();
const none: readonly ReadyLabel[] = [];

function inOrder(labels: readonly ReadyLabel[]): RowLabels {
  const list = [...labels].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { list, bytes: Buffer.concat(list.map(({ bytes }) => bytes)) };
}

/** Where the labels end whose names come before this one. */
function endBefore({ list }: RowLabels, name: string): number {
  let end = 0;
  for (const label of list) {
    if (label.name > name) break;
    end += label.bytes.length;
  }
  return end;
}
