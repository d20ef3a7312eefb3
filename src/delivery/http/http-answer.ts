/** What a server answered. */
export interface Answer {
  readonly status: number;
  /** The header `Retry-After` as it came. */
  readonly retryAfter: string | undefined;
  /** The header `Content-Type` as it came. */
  readonly contentType: string | undefined;
  /** The beginning of the body. */
  readonly body: Buffer;
}

/**
 * What to do after an answer: the records arrived (`remarked`: with a message of the server), are to be sent again `later`,
 * are `too-large` for one request, or will never be accepted: all of them (`refused`), some that must be found in the
 * request (`faulty`), or a number of them while the others arrived.
 */
export type Verdict =
  'arrived' | 'remarked' | 'later' | 'too-large' | 'refused' | 'faulty' | { readonly refused: number };

/** How the answers of the receivers of one format are understood. */
export interface AnswerRule {
  /** The server's message, for people. */
  words(answer: Answer): string;
  /** @param records of the request */
  judge(answer: Answer, records: number): Verdict;
}

/** Answers of servers that say in plain text what is wrong: InfluxDB, Logstash, and nearly all others. */
export const plainAnswers: AnswerRule = {
  words: ({ body }) => body.toString(),
  judge: ({ status, body }, records) => judgeAnswer(status, body.toString(), records),
};

/** How InfluxDB 1 and 2 say that the database or bucket does not exist yet; it may be created at any time. */
const noDatabase = /\b(database|bucket|retention policy)\b.*\bnot found\b/i;

/**
 * Judges by the status (RFC 9110): only 2xx acknowledges. Failures that may pass are retried: a server in trouble (5xx), a
 * busy one (429), one that did not get the whole request (408), a database that does not exist yet, and a redirect, which
 * is never followed, since it may come from a portal or a server in maintenance. A refusal is about what the records say
 * (400, 422), or about who sends them or where to.
 */
export function judgeAnswer(status: number, words: string, records: number): Verdict {
  if (status >= 200 && status < 300) return 'arrived';
  if (status === 413) return 'too-large';
  if (status === 408 || status === 429) return 'later';
  if (status === 404 && noDatabase.test(words)) return 'later';
  if (status < 400 || status >= 500) return 'later';
  const refused = refusedOf(words, records);
  if (refused !== undefined) return { refused };
  return status === 400 || status === 422 ? 'faulty' : 'refused';
}

/** The longest wait, in ms, that a server can ask for. */
const longest = 3_600_000;

/** ms to wait after `Retry-After`, at most an hour: seconds or a date (RFC 9110, 10.2.3). 0 where it says nothing. */
export function retryAfterMs(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? 0 : Math.min(longest, Math.max(0, ms));
}

/**
 * How many of so many records of a request were refused, where InfluxDB says that it wrote the others: `partial write: ...
 * dropped=N`. N leaves out lines that it could not parse, each of which it names instead. Undefined where it says nothing
 * of the others: then it wrote none (InfluxDB 1 where no line can be parsed, 2 where one cannot; other servers).
 */
function refusedOf(words: string, records: number): number | undefined {
  const dropped = /\bpartial write\b.*\bdropped=(\d+)/s.exec(words)?.[1];
  if (dropped === undefined) return undefined;
  const unparsed = words.split('unable to parse').length - 1;
  return Math.min(records, Number(dropped) + unparsed);
}
