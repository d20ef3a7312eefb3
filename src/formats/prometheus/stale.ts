import { ProtobufWriter } from '../protobuf/protobuf-writer.ts';
import { SAMPLES, TIMESERIES, VALUE, valueBytes } from './write-request.ts';

/**
 * The value that ends a series, a NaN of its own, as field of a sample.
 * Source: https://prometheus.io/docs/specs/prw/remote_write_spec/#stale-markers
 */
const stale = Buffer.from([(VALUE << 3) | 1, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f]);

/** The series of one guest, or of all that is of none. */
interface Group {
  readonly key: string | undefined;
  /** Series, one behind the other. */
  readonly record: Buffer;
}

/** Finds series that are gone: otherwise queries would show their last sample for five more minutes. */
export class StaleSeries {
  private before = new Map<string | undefined, Buffer>();
  /** Bytes of a sample with its tag, at the end of each series in `before`. */
  private sampleBytes = 0;
  private readonly out = new ProtobufWriter();

  /**
   * Markers for the series that the groups before had and these have not.
   *
   * @param time the timestamp of the samples, as field of a sample
   */
  markers(groups: readonly Group[], time: Buffer): Buffer {
    const { before, sampleBytes } = this;
    this.sampleBytes = 2 + valueBytes + time.length;
    this.before = new Map(groups.map(({ key, record }) => [key, record]));
    for (const [key, old] of before) {
      const record = this.before.get(key) ?? Buffer.alloc(0);
      if (sampleBytes === this.sampleBytes && sameSeries(old, record, sampleBytes)) continue;
      const present = new Set(labelsOf(record, this.sampleBytes).map(textOf));
      for (const labels of labelsOf(old, sampleBytes))
        if (!present.has(textOf(labels))) this.mark(labels, time);
    }
    return this.out.take();
  }

  private mark(labels: Buffer, time: Buffer): void {
    const { out } = this;
    out.sized(TIMESERIES, labels.length + this.sampleBytes);
    out.append(labels);
    out.sized(SAMPLES, valueBytes + time.length);
    out.append(stale);
    out.append(time);
  }
}

function textOf(labels: Buffer): string {
  return labels.toString('latin1');
}

/** Whether two records have the same series in the same order: they differ in nothing but the samples. */
function sameSeries(one: Buffer, other: Buffer, sampleBytes: number): boolean {
  if (one.length !== other.length) return false;
  let from = 0;
  for (let at = 0; at < one.length;) {
    const end = endOf(one, at);
    const to = end - sampleBytes;
    if (one.compare(other, from, to, from, to) !== 0) return false;
    from = at = end;
  }
  return true;
}

/** The labels of each series of a record. */
function labelsOf(record: Buffer, sampleBytes: number): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < record.length;) {
    const end = endOf(record, at);
    found.push(record.subarray(bodyOf(record, at), end - sampleBytes));
    at = end;
  }
  return found;
}

/** Where the body of the series begins that is at an offset: behind its tag and its length. */
function bodyOf(record: Buffer, at: number): number {
  let body = at + 2;
  while ((record[body - 1] as number) >= 128) body++;
  return body;
}

/** Where that series ends. */
function endOf(record: Buffer, at: number): number {
  const body = bodyOf(record, at);
  let length = 0;
  for (let byte = body - 1; byte > at; byte--) length = length * 128 + ((record[byte] as number) & 127);
  return body + length;
}
