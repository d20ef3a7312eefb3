import type { HttpSettings } from '../settings.ts';
import { snappy } from './snappy.ts';
import { plainAnswers, type AnswerRule } from './http-answer.ts';
import { otlpAnswers } from './otlp-answer.ts';

/** How the records of a printer travel by HTTP: what a request says of them, and what the answers mean. */
export interface HttpFormat {
  /** What the body is; `Content-Type` among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Puts records into one body. */
  join(records: readonly Buffer[]): Buffer;
  /** How a body is always compressed; left out: by gzip, where the settings want that. */
  readonly compression?: Compression;
  readonly answers: AnswerRule;
}

/** A way to compress a body. */
export interface Compression {
  /** As `Content-Encoding` names it. */
  readonly name: string;
  compress(plain: Buffer): Buffer | Promise<Buffer>;
}

const comma = Buffer.from(',');
const opening = Buffer.from('[');
const closing = Buffer.from(']');

const text: HttpFormat = {
  headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  join: (records) => Buffer.concat(records),
  answers: plainAnswers,
};
const jsonLines: HttpFormat = { ...text, headers: { 'Content-Type': 'application/x-ndjson' } };
/** Line ends are blanks to JSON, so that they can stay. */
const jsonArray: HttpFormat = {
  ...text,
  headers: { 'Content-Type': 'application/json' },
  join: (records) =>
    Buffer.concat([
      opening,
      ...records.flatMap((record, index) => (index === 0 ? [record] : [comma, record])),
      closing,
    ]),
};

/** Remote write 1.0 of Prometheus. Its requests can be concatenated. */
const remoteWrite: HttpFormat = {
  ...text,
  headers: { 'Content-Type': 'application/x-protobuf', 'X-Prometheus-Remote-Write-Version': '0.1.0' },
  compression: { name: 'snappy', compress: snappy },
};

/** Requests put together are one request. */
const otlp: HttpFormat = {
  headers: { 'Content-Type': 'application/x-protobuf' },
  join: (records) => Buffer.concat(records),
  answers: otlpAnswers,
};

/** How the records of an output travel. A printer with a protocol of its own has its case here. */
export function httpFormat({ printer, body }: Pick<HttpSettings, 'printer' | 'body'>): HttpFormat {
  switch (printer) {
    case 'json':
      return body === 'array' ? jsonArray : jsonLines;
    case 'remote-write':
      return remoteWrite;
    case 'otlp':
      return otlp;
    default:
      return text;
  }
}
