import { ProtobufWriter } from '../protobuf/protobuf-writer.ts';
import { field } from './fields.ts';

/** Bytes at which a record ends and another one begins, so that a request can be split where a receiver refuses its size. */
const RECORD_BYTES = 128 << 10;

/** What stands before the points of a metric. */
export interface MetricHead {
  /** Name, description, unit. */
  readonly head: Buffer;
  /** The field that holds its points: gauge, sum or histogram. */
  readonly data: number;
  /** What is said of all points of a sum or histogram. */
  readonly temporality: Buffer;
}

/** Without a version: receivers make labels of it, and a new proxtop would begin new series. */
const scope = ((out) => {
  out.string(field.scope.name, 'proxtop');
  return out.take();
})(new ProtobufWriter());

/**
 * Writes points into records, each of which is a request with resource and scope. Nothing is begun before there is a point:
 * neither a metric nor a record is ever empty.
 */
export class RequestWriter {
  private readonly out = new ProtobufWriter();
  private resource: Buffer = Buffer.alloc(0);
  private metric: MetricHead | undefined;
  private records: Buffer[] = [];
  /** Where the open messages begin; undefined while they are not. */
  private record: { readonly resource: number; readonly scope: number } | undefined;
  private points: { readonly metric: number; readonly data: number } | undefined;

  /** Begins with a resource: its attributes, as fields. */
  begin(resource: Buffer): void {
    this.resource = resource;
    this.records = [];
  }

  /** What is written from now on are points of this metric. */
  beginMetric(metric: MetricHead): void {
    this.endMetric();
    this.metric = metric;
  }

  /** Where the next point is to be written, as field `points` of what is open. */
  next(): ProtobufWriter {
    const { out } = this;
    if (out.length > RECORD_BYTES) this.endRecord();
    if (this.record === undefined) {
      const resource = out.begin(field.request.resourceMetrics);
      out.bytes(field.resourceMetrics.resource, this.resource);
      const begin = out.begin(field.resourceMetrics.scopeMetrics);
      out.bytes(field.scopeMetrics.scope, scope);
      this.record = { resource, scope: begin };
    }
    if (this.points === undefined && this.metric !== undefined) {
      const metric = out.begin(field.scopeMetrics.metrics);
      out.append(this.metric.head);
      const data = out.begin(this.metric.data);
      out.append(this.metric.temporality);
      this.points = { metric, data };
    }
    return out;
  }

  /** Ends all. @returns the records */
  end(): readonly Buffer[] {
    this.endRecord();
    return this.records;
  }

  private endMetric(): void {
    if (this.points === undefined) return;
    this.out.end(this.points.data);
    this.out.end(this.points.metric);
    this.points = undefined;
  }

  private endRecord(): void {
    this.endMetric();
    if (this.record === undefined) return;
    this.out.end(this.record.scope);
    this.out.end(this.record.resource);
    this.record = undefined;
    this.records.push(this.out.take());
  }
}
