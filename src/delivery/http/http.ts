import type { Logger } from 'pino';
import { printable } from '../../base/strings/printable.ts';
import type { OutputState } from '../../sampling/output-status.ts';
import type { Destination } from '../destination.ts';
import { handed, type Entry } from '../ledger/entry.ts';
import type { Tap } from '../ledger/tap.ts';
import type { HttpSettings } from '../settings.ts';
import { SlowFiles } from '../../guests/slow-files.ts';
import { backoff } from '../../base/pacing/backoff.ts';
import { MinuteLimit } from '../../base/pacing/minute-limit.ts';
import { Outage, reasonOf } from '../shared/outage.ts';
import { readTls } from '../shared/tls.ts';
import { within } from '../shared/within.ts';
import { authorization } from './credentials.ts';
import { Halving } from './halving.ts';
import { retryAfterMs, type Answer } from './http-answer.ts';
import { makeBody, type Body } from './http-body.ts';
import { HttpClient } from './http-client.ts';
import { httpFormat, type HttpFormat } from './http-format.ts';

/** By how much larger the next request may be after one that was not too large: a refusal in a dozen. */
const growth = 17 / 16;
/** ms in which a file of TLS must be read, and that all files may take at the start. */
const fileDeadline = 2000;
/** Characters of an answer that are logged. */
const maxWords = 200;

/**
 * Posts records in batches, one request at a time, in order. An answer of 2xx is the acknowledgement: before it a record is
 * unconfirmed, after it sent. Without an acknowledgement it is sent again, so a record whose answer was lost arrives twice.
 * What the server refuses for good is dropped, and its message logged.
 *
 * A server that finds a request too large (413) gets half of it, then a little more with each request. If it refuses a
 * request for its content, the records at fault are searched for, and the others arrive.
 *
 * A request whose answer was lost is sent again unchanged, without newer records: a server that accepted it and now refuses
 * it as old (Prometheus) must not refuse these with it.
 */
export class HttpDestination implements Destination {
  private readonly outage: Outage;
  /** Made when the files of TLS have been read. */
  private client: HttpClient | undefined;
  private readonly files = new SlowFiles(fileDeadline);
  private readonly authorization: () => Promise<string | undefined>;
  private readonly refusals = new MinuteLimit();
  private readonly remarks = new MinuteLimit();
  private readonly format: HttpFormat;
  /** The URL without its query, which may hold a password. */
  private readonly target: string;
  /** Since when the oldest record waits for a batch to fill up; undefined while none does. */
  private since: number | undefined;
  /** Taken from the store and not acknowledged. */
  private batch: Entry[] = [];
  private batchBytes = 0;
  /** Estimate of the bytes of records that the server accepts in one request. */
  private most: number;
  private readonly halving = new Halving();
  /** How many records the next request has at most: as many as one whose answer was lost, and which is sent again. */
  private again = Infinity;
  private posting = false;
  /** Waits for a batch to fill up, or for the next attempt. */
  private timer: NodeJS.Timeout | undefined;
  /** Whether the next attempt is waited for. */
  private retrying = false;
  private attempt = 0;
  /** What the server said when it refused the last request for good; undefined while it accepts requests. */
  private refusal: string | undefined;
  private closed = false;
  /** Set by close: called when nothing is left to send, or an attempt failed. */
  private finish: (() => void) | undefined;

  /** @param pause ms before the next attempt, by the number of failed ones */
  constructor(
    private readonly settings: HttpSettings,
    private readonly tap: Tap,
    private readonly log: Logger,
    private readonly pause: (attempt: number) => number = backoff,
  ) {
    const { url, batch } = settings;
    const { origin, pathname } = new URL(url);
    this.target = origin + pathname;
    this.format = httpFormat(settings);
    this.outage = new Outage(log, tap);
    const scheme = pathname.endsWith('/api/v2/write') ? 'Token' : 'Bearer';
    this.authorization = authorization(settings, scheme, process.env['CREDENTIALS_DIRECTORY']);
    this.most = batch.bytes;
    tap.onReadable = () => {
      if (this.idle) this.pump();
    };
  }

  get state(): OutputState {
    if (this.outage.lasts) return 'down';
    if (this.refusal !== undefined) return 'refused';
    return (this.client?.connections ?? 0) === 0 ? 'connecting' : 'up';
  }

  get lastError(): string | undefined {
    return this.refusal ?? this.outage.lastError;
  }

  /** Reads the files of TLS and of the secret. @throws Error for one that cannot be read */
  ready(): Promise<void> {
    return within(fileDeadline, Promise.all([this.connectable(), this.authorization()]));
  }

  wake(): void {
    this.since ??= performance.now();
    // The timer of a batch that became full is not needed any more; that of the next attempt still is.
    if (this.idle) this.pump();
  }

  reopen(): void {
    // Nothing to reopen.
  }

  /** Sends what waits. A server that fails gets one more attempt, at once, and no other. */
  async close(deadline: number): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    const timer = setTimeout(() => this.finish?.(), deadline);
    if (!this.posting) this.pump();
    await finished;
    clearTimeout(timer);
    clearTimeout(this.timer);
    this.closed = true;
    this.client?.close();
    this.giveBack(this.posting && this.client?.handedOver === true);
  }

  /** Whether only records are waited for. */
  private get idle(): boolean {
    return this.batch.length === 0 && !this.posting && !this.retrying && !this.closed;
  }

  /** Begins the next request if it is due, or waits until it is. Not to be called during a request. */
  private pump(): void {
    clearTimeout(this.timer);
    this.retrying = false;
    if (this.batch.length === 0) {
      const wait = this.wait();
      if (wait > 0) {
        this.later(wait);
        return;
      }
      this.fill();
    }
    if (this.batch.length > 0) void this.post();
    else if (this.tap.empty) this.finish?.();
  }

  /** ms until a request is due; 0 when it is, or when there is nothing to send. */
  private wait(): number {
    const { records, bytes, age } = this.settings.batch;
    const full = this.tap.hasBatch(records, bytes);
    if (full || this.finish !== undefined || this.since === undefined) return 0;
    return Math.max(0, this.since + age * 1000 - performance.now());
  }

  private later(ms: number): void {
    this.timer = setTimeout(() => {
      this.pump();
    }, ms).unref();
  }

  private fill(): void {
    const { records, bytes } = this.settings.batch;
    while (this.batch.length < records && this.batchBytes < bytes) {
      const entry = this.tap.next();
      if (entry === undefined) break;
      this.batch.push(entry);
      this.batchBytes += entry.bytes.length;
    }
    if (this.tap.empty) this.since = undefined;
  }

  /** The first records of the batch, for one request: as many as the server accepts, but at least one. */
  private share(): Entry[] {
    let bytes = 0;
    const batch = this.batch.slice(0, Math.min(this.halving.most, this.again));
    const end = batch.findIndex((entry) => (bytes += entry.bytes.length) > this.most);
    return end === -1 ? batch : batch.slice(0, Math.max(1, end));
  }

  private async post(): Promise<void> {
    this.posting = true;
    const share = this.share();
    let answer: Answer | undefined;
    let reason = '';
    let client: HttpClient | undefined;
    try {
      const records = share.map((entry) => entry.bytes);
      const body = await makeBody(records, this.format, this.settings.gzip);
      const headers = await this.headers(body);
      const ready = await this.connectable();
      if (this.closed) return;
      client = ready;
      answer = await client.post(body.bytes, headers);
    } catch (error) {
      reason = reasonOf(error as Error);
    }
    this.posting = false;
    if (this.closed) return;
    if (answer === undefined) this.failed(reason, 0, client?.handedOver === true);
    else this.answered(answer, share);
  }

  private async connectable(): Promise<HttpClient> {
    if (this.client !== undefined) return this.client;
    const { url, timeout, tls } = this.settings;
    const options = await readTls(tls, this.files);
    return (this.client ??= new HttpClient(url, timeout * 1000, options, () => this.tap.ledger.reconnects++));
  }

  private async headers(body: Body): Promise<Record<string, string>> {
    const authorization = await this.authorization();
    return {
      'User-Agent': 'proxtop',
      ...body.headers,
      ...(authorization !== undefined && { Authorization: authorization }),
      ...this.settings.headers,
    };
  }

  private answered(answer: Answer, share: readonly Entry[]): void {
    const bytes = share.reduce((sum, entry) => sum + entry.bytes.length, 0);
    const words = (): string => this.described(answer);
    const verdict = this.format.answers.judge(answer, share.length);
    switch (verdict) {
      case 'remarked':
      case 'arrived':
        if (verdict === 'remarked' && this.remarks.due()) this.log.warn(`${this.target}: ${words()}`);
        this.refusal = undefined;
        this.settle(share, 0);
        this.halving.settle(share.length, true);
        this.most = Math.min(this.settings.batch.bytes, this.most * growth);
        this.done(share.length, bytes);
        break;
      case 'faulty':
        if (this.halving.split(share.length)) {
          this.log.debug(`${this.target}: ${words()}: splitting ${share.length} records in halves`);
          this.pump();
        } else {
          this.refuse(words(), share, share.length, bytes);
        }
        break;
      case 'too-large':
        if (share.length === 1) {
          this.refuse(words(), share, 1, bytes);
        } else {
          this.log.debug(`${this.target}: ${words()}: a request of ${bytes} bytes is too large`);
          this.most = bytes / 2;
          this.pump();
        }
        break;
      case 'later':
        this.failed(words(), retryAfterMs(answer.retryAfter, Date.now()), true);
        break;
      case 'refused':
        this.refuse(words(), share, share.length, bytes);
        break;
      default:
        this.refuse(words(), share, verdict.refused, bytes);
    }
  }

  /** @param refused so many of the records; the others arrived */
  private refuse(words: string, share: readonly Entry[], refused: number, bytes: number): void {
    this.refusal = `${this.target} refuses records: ${words}`;
    this.settle(share, refused);
    this.halving.settle(share.length, refused < share.length);
    if (this.refusals.due())
      this.log.error(`${this.target} refuses ${refused} records, which are dropped: ${words}`);
    this.done(share.length, bytes);
  }

  /** All records but some arrived. The server does not say which, so only the numbers are right. */
  private settle(share: readonly Entry[], refused: number): void {
    const arrived = share.length - refused;
    for (const entry of share.slice(0, arrived)) this.tap.arrived(handed(entry));
    for (const { ordinal } of share.slice(arrived)) this.tap.ledger.drop(ordinal, 'refused');
  }

  /** The first records of the batch are settled; the server works. */
  private done(records: number, bytes: number): void {
    this.batch = this.batch.slice(records);
    this.batchBytes -= bytes;
    this.again = this.again > records ? this.again - records : Infinity;
    this.attempt = 0;
    this.tap.reachable = true;
    this.outage.end(`${this.target} answers again`);
    this.pump();
  }

  /** @param tried whether the server may have got the first request of the batch */
  private giveBack(tried: boolean): void {
    const share = tried ? this.share().length : 0;
    this.again = tried ? share : Infinity;
    this.tap.giveBack(this.batch.slice(0, share).map(handed), true);
    this.tap.giveBack(this.batch.slice(share).map(handed), false);
    this.batch = [];
    this.batchBytes = 0;
    this.halving.end();
  }

  /** @param handedOver whether the server may have got the request */
  private failed(reason: string, wait: number, handedOver: boolean): void {
    this.tap.reachable = false;
    this.giveBack(handedOver);
    // A request that was tried once does not wait for more records.
    this.since = -Infinity;
    this.retrying = true;
    if (this.finish !== undefined) {
      this.finish();
      return;
    }
    this.outage.begin(`${this.target}: ${reason}`);
    const ms = Math.max(wait, this.pause(this.attempt++));
    this.log.debug(`${this.target}: ${reason}; next attempt in ${ms.toFixed(0)} ms`);
    this.later(ms);
  }

  /** The status and the server's message, on one line. */
  private described(answer: Answer): string {
    const line = printable(this.format.answers.words(answer).trim().replace(/\s+/g, ' '));
    const shown = line.length > maxWords ? `${line.slice(0, maxWords)}...` : line;
    return shown === '' ? `HTTP ${answer.status}` : `HTTP ${answer.status}: ${shown}`;
  }
}
