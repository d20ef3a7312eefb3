import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { Logger } from 'pino';
import type { OutputState } from '../../sampling/output-status.ts';
import type { Destination } from '../destination.ts';
import type { Entry } from '../ledger/entry.ts';
import { Fifo } from '../ledger/fifo.ts';
import type { Tap } from '../ledger/tap.ts';
import type { UdpSettings } from '../settings.ts';
import { MinuteLimit } from '../../base/pacing/minute-limit.ts';
import { Outage, reasonOf } from '../shared/outage.ts';

const maxInFlight = 64;
/** ms after which the name is looked up again; after an error, at the soonest. */
const addressAge = 30_000;
const errorAge = 5000;
/**
 * ms without an error that end an outage, and after which a datagram counts as arrived: a refusal is reported only after a
 * send that seemed to work, and a kernel reports at most one a second (icmp(7), icmp_ratelimit).
 */
const calm = 2000;
/** ms to wait at the end for errors about the last datagrams. */
const lastErrors = 100;

/**
 * Sends each record as one datagram. The socket is connected, so that it receives datagrams only from that peer, and an
 * error when nothing listens there. Nothing is kept for a missing peer: what cannot be sent is dropped and counted.
 *
 * Nobody confirms a datagram. It counts as arrived when no error came for a while; an error stands for all that were sent
 * shortly before, and those are dropped as unconfirmed.
 */
export class UdpDestination implements Destination {
  private readonly outage: Outage;
  private readonly oversize = new MinuteLimit();
  private readonly target: string;
  private socket: Socket | undefined;
  /** Of the present socket. */
  private address = '';
  private lookedUp = -Infinity;
  private lookingUp = false;
  private failed = -Infinity;
  /** When the kernel last reported an error about sent datagrams. */
  private told = -Infinity;
  /** Handed to the kernel, which has not accepted or refused them yet. */
  private inFlight = 0;
  /** Sent, and an error may come yet; the oldest first. */
  private readonly recent = new Fifo<{ readonly ordinal: number; readonly time: number }>();
  private readonly timer: NodeJS.Timeout;
  private closed = false;
  /** Set by close: called when nothing is left to send. */
  private finish: (() => void) | undefined;

  constructor(
    private readonly settings: UdpSettings,
    private readonly tap: Tap,
    private readonly log: Logger,
  ) {
    this.target = `${settings.host} port ${settings.port}`;
    this.outage = new Outage(log, tap);
    tap.onReadable = () => {
      this.wake();
    };
    this.timer = setInterval(() => {
      this.confirm(performance.now() - calm);
    }, calm / 2).unref();
    void this.resolve();
  }

  get state(): OutputState {
    if (this.outage.lasts) return 'down';
    return this.socket === undefined ? 'connecting' : 'up';
  }

  get lastError(): string | undefined {
    return this.outage.lastError;
  }

  wake(): void {
    if (this.closed) return;
    const age = performance.now() - this.lookedUp;
    if (!this.lookingUp && age > (this.failed > this.lookedUp ? errorAge : addressAge)) void this.resolve();
    this.pump();
  }

  reopen(): void {
    // Nothing to reopen.
  }

  async close(deadline: number): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    const timer = setTimeout(() => this.finish?.(), deadline);
    this.pump();
    await finished;
    clearTimeout(timer);
    if (this.recent.length > 0)
      await new Promise((resolve) => setTimeout(resolve, Math.min(deadline, lastErrors)));
    this.closed = true;
    clearInterval(this.timer);
    this.socket?.close();
    this.socket = undefined;
    if (performance.now() - this.told > calm) this.confirm(Infinity);
    else this.dropRecent();
  }

  private pump(): void {
    while (this.inFlight < maxInFlight && (this.socket !== undefined || !this.lookingUp)) {
      const entry = this.tap.next();
      if (entry === undefined) break;
      if (entry.bytes.length > this.settings.maxDatagram) this.refuse(entry);
      else if (this.socket === undefined) this.tap.ledger.drop(entry.ordinal, 'unreachable');
      else {
        this.inFlight++;
        this.transmit(this.socket, entry, true);
      }
    }
    if (this.inFlight === 0 && this.tap.empty) this.finish?.();
  }

  /** What was sent before this time has arrived, as far as anybody can tell. */
  private confirm(before: number): void {
    for (let sent = this.recent.at(0); sent !== undefined && sent.time <= before; sent = this.recent.at(0)) {
      this.recent.shift();
      this.tap.arrived({ first: sent.ordinal, count: 1 });
    }
  }

  private dropRecent(): void {
    for (let sent = this.recent.shift(); sent !== undefined; sent = this.recent.shift())
      this.tap.ledger.drop(sent.ordinal, 'unconfirmed');
  }

  /** Looks the name up, and connects to the address if it is a new one; an address that works outlives a failed look-up. */
  private async resolve(): Promise<void> {
    const { host, port } = this.settings;
    this.lookingUp = true;
    try {
      const { address, family } = await lookup(host);
      if (!this.closed && address !== this.address)
        await this.connect(family === 6 ? 'udp6' : 'udp4', port, address);
    } catch (error) {
      if (!this.closed) this.disturbed(error as Error);
    }
    this.lookingUp = false;
    this.lookedUp = performance.now();
    if (!this.closed) this.pump();
  }

  private async connect(type: 'udp4' | 'udp6', port: number, address: string): Promise<void> {
    const socket = createSocket(type).unref();
    socket.on('error', (error) => {
      this.failure(error);
    });
    await new Promise<void>((resolve, reject) => {
      // Node passes an error to the callback although its types have none.
      socket.connect(port, address, (error?: Error) => {
        if (error === undefined && !this.closed) {
          resolve();
          return;
        }
        socket.close();
        reject(error ?? new Error('closed'));
      });
    });
    this.socket?.close();
    this.socket = socket;
    this.address = address;
  }

  /** @param again whether to send the record once more when the kernel only tells of an earlier one instead */
  private transmit(socket: Socket, entry: Entry, again: boolean): void {
    socket.send(entry.bytes, (error: NodeJS.ErrnoException | null) => {
      // About an earlier datagram: this one was not sent at all.
      if (error?.code === 'ECONNREFUSED' && again && this.socket === socket) {
        this.failure(error);
        this.transmit(socket, entry, false);
        return;
      }
      this.inFlight--;
      this.judge(entry, error);
      if (!this.closed) this.pump();
    });
  }

  private judge(entry: Entry, error: Error | null): void {
    if (error !== null || this.closed) {
      this.tap.ledger.drop(entry.ordinal, error === null ? 'unconfirmed' : 'unreachable');
      if (error !== null) this.disturbed(error);
      return;
    }
    const now = performance.now();
    this.recent.push({ ordinal: entry.ordinal, time: now });
    if (now - this.failed > calm) this.outage.end(`sending to ${this.target} again`);
  }

  /** Sent datagrams failed, by an ICMP message: mostly that nothing listens on the port. */
  private failure(error: NodeJS.ErrnoException): void {
    this.told = performance.now();
    const reason = error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable';
    const first = this.recent.shift();
    if (first !== undefined) this.tap.ledger.drop(first.ordinal, reason);
    this.dropRecent();
    this.disturbed(error);
  }

  private disturbed(error: Error): void {
    this.failed = performance.now();
    this.outage.begin(`cannot send to ${this.target}: ${reasonOf(error)}`);
  }

  private refuse({ ordinal, bytes: { length } }: Entry): void {
    this.tap.ledger.drop(ordinal, 'too_large');
    if (!this.oversize.due()) return;
    this.log.warn(
      `a record of ${length} bytes is dropped: longer than max_datagram, ${this.settings.maxDatagram} bytes`,
    );
  }
}
