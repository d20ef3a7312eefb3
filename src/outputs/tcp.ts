import { connect, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { backoff } from './backoff.ts';
import type { Destination } from './destination.ts';
import { Outage, reasonOf } from './outage.ts';
import type { OutputStatus } from './output.ts';
import { PeerWatch } from './peer-watch.ts';
import { RecordQueue } from './queue.ts';
import { ResendWindow, type ResendLimits } from './resend-window.ts';
import type { TcpSettings } from './settings.ts';

/** How a TCP destination paces itself. */
export interface TcpPace {
  /** What is sent again after a connection broke. */
  readonly resend: ResendLimits;
  /** ms before the next attempt, by the number of failed ones. */
  readonly backoff: (attempt: number) => number;
  /** ms that a connection must last to end an outage and to start the back-off anew. */
  readonly stable: number;
}

const defaultPace: TcpPace = { resend: { ms: 5000, bytes: 4 << 20 }, backoff, stable: 1000 };

/** Bytes handed to the socket beyond what the kernel took; the rest stays in our queue, where it is bounded. */
const inFlightBytes = 256 << 10;
const keepAliveDelay = 15_000;

/**
 * Sends records over a TCP connection and makes a new one whenever it ends or stalls. A new connection starts with a
 * whole record: first the last ones of the connection before (see ResendWindow), then the queue.
 *
 * TCP acknowledges to the kernel, not to us: `sent` means that our kernel took the record.
 */
export class TcpDestination implements Destination {
  readonly #target: string;
  readonly #queue: RecordQueue;
  readonly #window: ResendWindow;
  readonly #outage: Outage;
  /** The current connection or attempt; undefined while waiting for the next attempt. */
  #socket: Socket | undefined;
  /** Set while the connection takes records. */
  #watch: PeerWatch | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempt = 0;
  #connections = 0;
  #sent = 0;
  #dropped = 0;
  /** Set by close: called when there is nothing left to do. */
  #finish: (() => void) | undefined;

  constructor(
    readonly settings: TcpSettings,
    readonly log: Logger,
    readonly pace: TcpPace = defaultPace,
  ) {
    const { host, port } = settings;
    this.#target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#queue = new RecordQueue(settings.queue);
    this.#window = new ResendWindow(pace.resend);
    this.#outage = new Outage(log, this);
    this.#connect();
  }

  get status(): OutputStatus {
    return {
      queued: this.#queue.length + this.#window.unsent,
      queuedBytes: this.#queue.bytes + this.#window.unsentBytes,
      sent: this.#sent,
      dropped: this.#queue.dropped + this.#dropped,
      reconnects: Math.max(0, this.#connections - 1),
    };
  }

  send(records: readonly Buffer[]): void {
    for (const record of records) this.#queue.push(record);
    this.#pump();
  }

  reopen(): void {
    // Nothing to open anew.
  }

  /** Flushes, half-closes and waits for the peer to close. A peer that is down gets one more attempt, at once. */
  async close(deadline: number): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.#finish = resolve));
    const timer = setTimeout(() => this.#finish?.(), deadline);
    if (this.#watch !== undefined) this.#pump();
    else if (this.#delivered) this.#finish?.();
    else if (this.#retry !== undefined) this.#connect();
    await finished;
    clearTimeout(timer);
    clearTimeout(this.#retry);
    this.#watch?.stop();
    this.#watch = undefined;
    this.#socket?.destroy();
    this.#dropped += this.#window.unsent;
    this.#window.clear();
    this.#queue.clear();
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const { host, port, timeout } = this.settings;
    // The name is looked up here, each time. Half-open: on a FIN from the peer Node must not write on by itself.
    const socket = connect({
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelay,
    });
    this.#socket = socket;
    let reason = 'closed by the peer';
    let timer: NodeJS.Timeout | undefined;
    // Not earlier: given-up lookups would go on and fill the thread pool; they have time limits of their own.
    socket.once('connectionAttempt', () => {
      timer = setTimeout(
        () => socket.destroy(new Error(`no answer for ${timeout} s`)),
        timeout * 1000,
      ).unref();
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.#connected();
      }, this.pace.stable).unref();
      this.#connections++;
      this.log.debug(`connected to ${this.#target}`);
      this.#watch = new PeerWatch(socket, timeout * 1000, () => {
        this.#stop();
        socket.destroy(new Error(`stalled: nothing acknowledged for ${timeout} s`));
      });
      this.#pump();
    });
    // What the peer sends has no meaning, but unread it would close the connection the hard way.
    socket.resume();
    socket.once('end', () => {
      this.#stop();
      socket.destroy();
    });
    socket.on('error', (error) => (reason = reasonOf(error)));
    socket.once('close', () => {
      clearTimeout(timer);
      this.#stop();
      this.#lost(reason);
    });
  }

  /** Writes while the socket has little in flight; goes on when the kernel took a record. */
  #pump(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#watch === undefined || socket.writableEnded) return;
    const now = performance.now();
    this.#window.release(now, this.#watch.acknowledged);
    socket.cork();
    while (socket.writableLength < inFlightBytes) {
      const record = this.#window.next(now) ?? this.#next(now);
      if (record === undefined) break;
      socket.write(record, this.#taken);
    }
    socket.uncork();
    if (this.#finish !== undefined && this.#delivered) socket.end();
  }

  /** The kernel took the next record. Node calls this with an error for what a broken connection had left. */
  readonly #taken = (error?: Error | null): void => {
    if (error || this.#watch === undefined) return;
    if (this.#window.take()) this.#sent++;
    this.#pump();
  };

  get #delivered(): boolean {
    return this.#window.done && this.#queue.length === 0;
  }

  #next(now: number): Buffer | undefined {
    const record = this.#queue.shift();
    if (record === undefined) return undefined;
    this.#window.add(record);
    return this.#window.next(now);
  }

  /** Nothing more is written to the current connection. */
  #stop(): void {
    this.#watch?.stop();
    this.#watch = undefined;
  }

  /** The connection lasts. */
  #connected(): void {
    this.#attempt = 0;
    if (this.#outage.lasts) this.#outage.end(`connected to ${this.#target} again`);
    else this.log.info(`connected to ${this.#target}`);
  }

  #lost(reason: string): void {
    this.#socket = undefined;
    this.#window.rewind();
    if (this.#finish !== undefined) {
      this.#finish();
      return;
    }
    this.#outage.begin(`no connection to ${this.#target}: ${reason}`);
    const delay = this.pace.backoff(this.#attempt++);
    this.log.debug(`${this.#target}: ${reason}; next attempt in ${delay.toFixed(0)} ms`);
    this.#retry = setTimeout(() => {
      this.#connect();
    }, delay).unref();
  }
}
