import { readFields } from '../../formats/protobuf/protobuf-reader.ts';
import type { Answer, AnswerRule, Verdict } from './http-answer.ts';

/** ExportMetricsServiceResponse.partial_success and its rejected_data_points and error_message; google.rpc.Status.message. */
const PARTIAL = 1;
const REJECTED = 1;
const ERROR_MESSAGE = 2;
const STATUS_MESSAGE = 2;

/** What a receiver says of the points of a request that it took. */
interface PartialSuccess {
  readonly rejected: bigint;
  readonly message: string;
}

/**
 * Answers of receivers of OTLP/HTTP (opentelemetry-proto, docs/specification.md): 2xx is success, but points may have been
 * rejected, for good. Of 4xx and 5xx only 429, 502, 503 and 504 may be tried again; a request that is too large goes in halves.
 */
export const otlpAnswers: AnswerRule = {
  words(answer) {
    const { rejected, message } = partialSuccess(answer);
    if (rejected > 0n) return `${rejected} data points rejected: ${message}`;
    if (message !== '') return message;
    return isProtobuf(answer) ? text(answer.body, STATUS_MESSAGE) : answer.body.toString();
  },
  judge(answer, records) {
    const { status } = answer;
    if (status < 200 || status >= 300) return judgeStatus(status);
    const { rejected, message } = partialSuccess(answer);
    // Whose points these were is not told: at most as many records miss one, and all other points are stored.
    if (rejected > 0n) return { refused: Number(rejected < records ? rejected : records) };
    return message === '' ? 'arrived' : 'remarked';
  },
};

function judgeStatus(status: number): Verdict {
  if ([429, 502, 503, 504].includes(status)) return 'later';
  if (status === 413) return 'too-large';
  if (status === 400 || status === 422) return 'faulty';
  // A redirect is never followed; it may come from a portal or a server in maintenance.
  return status >= 400 && status < 600 ? 'refused' : 'later';
}

function isProtobuf({ contentType }: Answer): boolean {
  return /^application\/x-protobuf\b/i.test(contentType ?? '');
}

function partialSuccess(answer: Answer): PartialSuccess {
  const isSuccess = answer.status >= 200 && answer.status < 300;
  const part = isSuccess && isProtobuf(answer) ? bytesOf(answer.body, PARTIAL) : undefined;
  if (part === undefined) return { rejected: 0n, message: '' };
  const rejected = readFields(part).find(({ field }) => field === REJECTED)?.value;
  const count = typeof rejected === 'bigint' ? BigInt.asIntN(64, rejected) : 0n;
  return { rejected: count, message: text(part, ERROR_MESSAGE) };
}

function text(message: Buffer, field: number): string {
  return bytesOf(message, field)?.toString() ?? '';
}

function bytesOf(message: Buffer, field: number): Buffer | undefined {
  const value = readFields(message).find(
    (each) => each.field === field && typeof each.value !== 'bigint',
  )?.value;
  return typeof value === 'bigint' ? undefined : value;
}
