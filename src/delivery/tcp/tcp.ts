import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { OutputState } from '../../sampling/output-status.ts';
import type { Destination } from '../destination.ts';
import { returnedBytes } from '../ledger/waiting.ts';
import type { Tap } from '../ledger/tap.ts';
import type { TcpSettings } from '../settings.ts';
import { SlowFiles } from '../../guests/slow-files.ts';
import { backoff } from '../../base/pacing/backoff.ts';
import { Outage, reasonOf } from '../shared/outage.ts';
import { readTls } from '../shared/tls.ts';
import { connect, type Connecting } from './connect.ts';
import { PeerWatch } from './peer-watch.ts';
import { ResendWindow } from './resend-window.ts';
import { readToken } from './token.ts';

/** How a TCP destination paces itself. */
export interface TcpPace {
  /** ms that the peer's kernel must have had a record before it counts as arrived. */
  readonly age: number;
  /** ms before the next attempt, by the number of failed ones. */
  readonly backoff: (attempt: number) => number;
  /** ms that a connection must last to end an outage and to start the back-off anew. */
  readonly stable: number;
  /** See {@link TcpDestination.hold}. */
  readonly hold: number;
}

const defaultPace: TcpPace = { age: 5000, backoff, stable: 1000, hold: 10_000 };
const longestHold = 300_000;

/** ms in which a file of TLS or of a token must be read. */
const fileDeadline = 2000;
/** Bytes handed to the socket beyond what the kernel took; the rest stays in our queue, where it is bounded. */
const inFlightBytes = 256 << 10;

/**
 * Sends records over a TCP connection and makes a new one whenever it ends or stalls. A new connection starts with a whole
 * record: first those of the connection before that are not known to have arrived, then what the store has.
 *
 * TCP acknowledges to the kernel, not to us. A record has arrived when the peer's kernel has had it for a while during
 * which the peer kept reading, or when the peer closed after it had been sent everything. Other records stay on disk if
 * they are there; those only in memory are bounded by not handing over more.
 */
export class TcpDestination implements Destination {
  private readonly target: string;
  private readonly window = new ResendWindow();
  private readonly outage: Outage;
  /** The current connection or attempt; undefined while waiting for the next attempt. */
  private socket: Socket | undefined;
  /** Set while the connection takes records. */
  private watch: PeerWatch | undefined;
  private retry: NodeJS.Timeout | undefined;
  private readonly files = new SlowFiles(fileDeadline);
  private attempt = 0;
  private connections = 0;
  /** Bytes of this connection that were not records. */
  private preamble = 0;
  /**
   * ms that a connection must last before it gets what was handed over before. 0 until a connection broke on which that
   * came again and nothing was confirmed: without it a link that flaps would carry the same records each time. It
   * doubles with each such connection.
   */
  private hold = 0;
  private holding: NodeJS.Timeout | undefined;
  /** Whether the present connection confirmed a record. */
  private confirmed = false;
  /** What the ledger had counted as resent when the connection began. */
  private resentBefore = 0;
  /** Whether the peer closed after it had been sent everything; known when this resolves. */
  private clean: Promise<boolean> = Promise.resolve(false);
  /** Set by close: called when there is nothing left to do. */
  private finish: (() => void) | undefined;
  private closed = false;

  constructor(
    private readonly settings: TcpSettings,
    private readonly tap: Tap,
    private readonly log: Logger,
    /** Called when a connection was lost, and when there is a new one: its reader does not know earlier data. */
    private readonly onNewReader: () => void = () => undefined,
    private readonly pace: TcpPace = defaultPace,
  ) {
    const { host, port } = settings;
    this.target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    tap.onReadable = () => {
      this.pump();
    };
    this.outage = new Outage(log, tap);
    this.connect();
  }

  get state(): OutputState {
    if (this.watch !== undefined && !this.outage.lasts) return 'up';
    return this.outage.lasts ? 'down' : 'connecting';
  }

  get lastError(): string | undefined {
    return this.outage.lastError;
  }

  wake(): void {
    this.pump();
  }

  reopen(): void {
    // Nothing to reopen.
  }

  /** Flushes, half-closes and waits for the peer to close. A peer that is down gets one more attempt, at once. */
  async close(deadline: number): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    const timer = setTimeout(() => this.finish?.(), deadline);
    if (this.watch !== undefined) this.pump();
    else if (this.done) this.finish?.();
    else if (this.retry !== undefined) this.connect();
    await finished;
    clearTimeout(timer);
    clearTimeout(this.retry);
    this.closed = true;
    this.stop();
    this.socket?.destroy();
    this.giveBack(await this.clean);
  }

  private connect(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    this.dial().catch((error: unknown) => {
      if (!this.closed) this.lost((error as Error).message);
    });
  }

  /** Reads the files of TLS and of the token each time, so that renewed ones need no restart, and begins to connect. */
  private async dial(): Promise<void> {
    const { settings, files } = this;
    const token = await readToken(settings, process.env['CREDENTIALS_DIRECTORY'], files);
    const tls = settings.tls && (await readTls(settings.tls, files));
    if (this.closed) return;
    this.open(connect(settings, tls), token === undefined ? '' : `${token}\n`);
  }

  private open({ socket, ready }: Connecting, preamble: string): void {
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
    // Data from the peer has no meaning, but if it is not read the connection ends with a reset.
    socket.resume();
    socket.once('end', () => {
      if (this.finish !== undefined && socket.writableFinished)
        this.clean = this.watch?.complete() ?? this.clean;
      this.stop();
      socket.destroy();
    });
    socket.on('error', (error) => (reason = reasonOf(error)));
    socket.once('close', () => {
      clearTimeout(timer);
      this.stop();
      void this.clean.then((clean) => {
        this.lost(reason, clean);
      });
    });
  }

  /** The connection can be written to. */
  private begin(socket: Socket, preamble: string): void {
    const timeout = this.settings.timeout * 1000;
    if (this.connections++ > 0) {
      this.tap.ledger.reconnects++;
      this.onNewReader();
    }
    socket.once('close', this.onNewReader);
    this.log.debug(`connected to ${this.target}`);
    const onRead = (bytes: number): void => {
      // At the end only a close proves that the peer has read: otherwise a stalled peer would count as one that read.
      if (this.finish === undefined) this.release(bytes - this.preamble);
    };
    this.watch = new PeerWatch(socket, { timeout, age: this.pace.age }, onRead, () => {
      this.stop();
      socket.destroy(new Error(`stalled: nothing acknowledged for ${this.settings.timeout} s`));
    });
    this.preamble = Buffer.byteLength(preamble);
    if (preamble !== '') socket.write(preamble);
    this.confirmed = false;
    this.resentBefore = this.tap.ledger.resent;
    if (this.hold > 0) this.holdBack();
    this.tap.reachable = true;
    this.pump();
  }

  private holdBack(): void {
    this.holding = setTimeout(() => {
      this.holding = undefined;
      this.pump();
    }, this.hold).unref();
  }

  /** Writes while the socket has little in flight; continues when the kernel accepted a record. */
  private pump(): void {
    const socket = this.socket;
    if (socket === undefined || this.watch === undefined || socket.writableEnded) return;
    const fresh = this.holding !== undefined && this.finish === undefined;
    const most = Math.max(returnedBytes, this.settings.queue.maxBytes);
    socket.cork();
    while (socket.writableLength < inFlightBytes && this.window.memoryBytes < most) {
      const entry = this.tap.next(fresh);
      if (entry === undefined) break;
      this.window.add(entry);
      socket.write(entry.bytes, this.taken);
    }
    socket.uncork();
    if (this.finish !== undefined && this.done) socket.end();
  }

  /** The kernel took the next record. Node calls this with an error for what a broken connection had left. */
  private readonly taken = (error?: Error | null): void => {
    if (error || this.watch === undefined) return;
    this.window.take();
    this.pump();
  };

  /** So many bytes of the connection's records have arrived. */
  private release(bytes: number): void {
    const arrived = this.window.release(bytes);
    if (arrived.length === 0) return;
    for (const records of arrived) this.tap.arrived(records);
    this.confirmed = true;
    this.hold = 0;
    this.pump();
  }

  private get done(): boolean {
    return this.window.done && this.tap.empty;
  }

  /** Records of the connection go back to the store, unless the peer has certainly read them. */
  private giveBack(clean: boolean): void {
    if (clean) this.release(Infinity);
    else this.tap.giveBack(this.window.drain(), true);
  }

  /** Nothing more is written to the current connection. */
  private stop(): void {
    this.watch?.stop();
    this.watch = undefined;
    clearTimeout(this.holding);
    this.holding = undefined;
  }

  /** The connection has lasted long enough. */
  private connected(): void {
    this.attempt = 0;
    if (this.outage.lasts) this.outage.end(`connected to ${this.target} again`);
    else this.log.info(`connected to ${this.target}`);
  }

  private lost(reason: string, clean = false): void {
    this.socket = undefined;
    this.tap.reachable = false;
    const again = this.tap.ledger.resent > this.resentBefore;
    this.resentBefore = this.tap.ledger.resent;
    if (again && !this.confirmed) this.hold = Math.min(longestHold, Math.max(this.pace.hold, this.hold * 2));
    this.giveBack(clean);
    if (this.finish !== undefined) {
      this.log.debug(`${this.target}: ${reason}${clean ? ' after it had received everything' : ''}`);
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
