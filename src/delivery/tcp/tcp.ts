import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { backoff } from '../shared/backoff.ts';
import { connect, type Connecting } from './connect.ts';
import type { Destination, Heir } from '../destination.ts';
import type { OutputStatus } from '../../sampling/output-status.ts';
import type { Entry } from '../ledger/entry.ts';
import { lastWord } from '../shared/last-word.ts';
import { Outage, reasonOf } from '../shared/outage.ts';
import { PeerWatch } from './peer-watch.ts';
import { ResendWindow, type ResendLimits } from './resend-window.ts';
import type { TcpSettings } from '../settings.ts';
import { Store } from '../ledger/store.ts';
import { tokenOf } from './token.ts';

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

/**
 * Sends records over a TCP connection and makes a new one whenever it ends or stalls. A new connection starts with a
 * whole record: first the last ones of the connection before (see ResendWindow), then what the store has.
 *
 * TCP acknowledges to the kernel, not to us: `sent` means that our kernel took the record.
 */
export class TcpDestination implements Destination {
  private readonly target: string;
  private readonly store: Store;
  private readonly window: ResendWindow;
  private readonly outage: Outage;
  /** The current connection or attempt; undefined while waiting for the next attempt. */
  private socket: Socket | undefined;
  /** Set while the connection takes records. */
  private watch: PeerWatch | undefined;
  private retry: NodeJS.Timeout | undefined;
  private attempt = 0;
  private connections = 0;
  /** Bytes of this connection that were no records. */
  private preamble = 0;
  private sent = 0;
  private resent = 0;
  /** Whether the peer closed after it had been sent everything. */
  private clean = false;
  /** Set by close: called when there is nothing left to do. */
  private finish: (() => void) | undefined;

  constructor(
    private readonly settings: TcpSettings,
    private readonly log: Logger,
    private readonly pace: TcpPace = defaultPace,
  ) {
    const { host, port } = settings;
    this.target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.store = new Store(settings.queue, settings.spool, log);
    this.store.onReadable = () => {
      this.pump();
    };
    this.window = new ResendWindow(pace.resend);
    this.outage = new Outage(log, this);
    this.connect();
  }

  get status(): OutputStatus {
    const stored = this.store.status;
    const up = this.watch !== undefined && !this.outage.lasts;
    return {
      ...stored,
      state: up ? 'up' : this.outage.lasts ? 'down' : 'connecting',
      queued: stored.queued + this.window.unsent,
      queuedBytes: stored.queuedBytes + this.window.unsentBytes,
      sent: this.sent,
      resent: this.resent,
      reconnects: Math.max(0, this.connections - 1),
      lastError: this.store.trouble ?? this.outage.lastError,
    };
  }

  send(records: readonly Buffer[]): void {
    const now = Date.now();
    for (const record of records) this.store.push(record, now);
    this.pump();
  }

  reopen(): void {
    // Nothing to open anew.
  }

  /** Flushes, half-closes and waits for the peer to close. A peer that is down gets one more attempt, at once. */
  async close(deadline: number, heir?: Heir): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    const timer = setTimeout(() => this.finish?.(), deadline);
    if (this.watch !== undefined) this.pump();
    else if (this.done) this.finish?.();
    else if (this.retry !== undefined) this.connect();
    await finished;
    clearTimeout(timer);
    clearTimeout(this.retry);
    this.watch?.stop();
    this.watch = undefined;
    this.socket?.destroy();
    this.giveBack();
    await this.store.close(heir);
    lastWord(this.log, this.status);
  }

  private connect(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    let connecting: Connecting;
    let preamble: string;
    try {
      const token = tokenOf(this.settings, process.env['CREDENTIALS_DIRECTORY']);
      preamble = token === undefined ? '' : `${token}\n`;
      connecting = connect(this.settings);
    } catch (error) {
      this.lost((error as Error).message);
      return;
    }
    const { socket, ready } = connecting;
    const { timeout } = this.settings;
    this.socket = socket;
    let reason = 'closed by the peer';
    let timer: NodeJS.Timeout | undefined;
    // Not earlier: given-up lookups would go on and fill the thread pool; they have time limits of their own.
    socket.once('connectionAttempt', () => {
      timer = setTimeout(
        () => socket.destroy(new Error(`no answer for ${timeout} s`)),
        timeout * 1000,
      ).unref();
    });
    socket.once(ready, () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.connected();
      }, this.pace.stable).unref();
      this.begin(socket, preamble);
    });
    // What the peer sends has no meaning, but unread it would close the connection the hard way.
    socket.resume();
    socket.once('end', () => {
      this.clean = this.finish !== undefined && socket.writableFinished;
      this.stop();
      socket.destroy();
    });
    socket.on('error', (error) => (reason = reasonOf(error)));
    socket.once('close', () => {
      clearTimeout(timer);
      this.stop();
      this.lost(reason);
    });
  }

  /** The connection can be written to. */
  private begin(socket: Socket, preamble: string): void {
    const { timeout } = this.settings;
    this.connections++;
    this.log.debug(`connected to ${this.target}`);
    this.watch = new PeerWatch(socket, timeout * 1000, () => {
      this.stop();
      socket.destroy(new Error(`stalled: nothing acknowledged for ${timeout} s`));
    });
    this.preamble = Buffer.byteLength(preamble);
    if (preamble !== '') socket.write(preamble);
    this.store.reachable = true;
    this.pump();
  }

  /** Writes while the socket has little in flight; goes on when the kernel took a record. */
  private pump(): void {
    const socket = this.socket;
    if (socket === undefined || this.watch === undefined || socket.writableEnded) return;
    const now = performance.now();
    this.window.release(now, this.watch.acknowledged - this.preamble, this.delivered);
    socket.cork();
    while (socket.writableLength < inFlightBytes) {
      const entry = this.store.next();
      if (entry === undefined) break;
      entry.handed = now;
      this.window.add(entry);
      socket.write(entry.bytes, this.taken);
    }
    socket.uncork();
    if (this.finish !== undefined && this.done) socket.end();
  }

  /** The kernel took the next record. Node calls this with an error for what a broken connection had left. */
  private readonly taken = (error?: Error | null): void => {
    if (error || this.watch === undefined) return;
    if (this.window.take()) this.sent++;
    else this.resent++;
    this.pump();
  };

  private readonly delivered = (entry: Entry): void => {
    this.store.delivered(entry);
  };

  private get done(): boolean {
    return this.window.done && this.store.empty;
  }

  /** What the connection took goes back to the store, unless the peer has surely read it. */
  private giveBack(): void {
    const entries = this.window.drain();
    if (this.clean) entries.forEach(this.delivered);
    else this.store.giveBack(entries);
  }

  /** Nothing more is written to the current connection. */
  private stop(): void {
    this.watch?.stop();
    this.watch = undefined;
  }

  /** The connection lasts. */
  private connected(): void {
    this.attempt = 0;
    if (this.outage.lasts) this.outage.end(`connected to ${this.target} again`);
    else this.log.info(`connected to ${this.target}`);
  }

  private lost(reason: string): void {
    this.socket = undefined;
    this.store.reachable = false;
    this.giveBack();
    if (this.finish !== undefined) {
      this.finish();
      return;
    }
    this.outage.begin(`no connection to ${this.target}: ${reason}`);
    const delay = this.pace.backoff(this.attempt++);
    this.log.debug(`${this.target}: ${reason}; next attempt in ${delay.toFixed(0)} ms`);
    this.retry = setTimeout(() => {
      this.connect();
    }, delay).unref();
  }
}
