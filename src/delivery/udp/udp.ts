import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { Logger } from 'pino';
import type { OutputStatus } from '../../sampling/output-status.ts';
import type { Destination } from '../destination.ts';
import { lastWord } from '../shared/last-word.ts';
import { MinuteLimit } from '../shared/minute-limit.ts';
import { Outage, reasonOf } from '../shared/outage.ts';
import { queuedStatus } from '../shared/queued-status.ts';
import { RecordQueue } from '../ledger/queue.ts';
import type { QueueSettings, UdpSettings } from '../settings.ts';

/** Holds the burst of one cycle while the kernel takes it, and what comes during the first look-up. */
const queue: QueueSettings = { maxBytes: 16 << 20, whenFull: 'drop_oldest' };
const maxInFlight = 64;
/** ms after which the name is looked up anew; after an error, at the soonest. */
const addressAge = 30_000;
const errorAge = 5000;
/** ms without an error that end an outage: a refusal is told only after a send that seemed to work. */
const calm = 2000;

/**
 * Sends each record as one datagram. The socket is connected, so that it takes datagrams from nobody else and hears
 * when nobody listens. Nothing is kept for a peer that is not there: what cannot be sent is dropped and counted.
 */
export class UdpDestination implements Destination {
  private readonly queue = new RecordQueue(queue);
  private readonly outage: Outage;
  private readonly oversize = new MinuteLimit();
  private readonly target: string;
  private socket: Socket | undefined;
  /** Of the present socket. */
  private address = '';
  private lookedUp = -Infinity;
  private lookingUp = false;
  private failed = -Infinity;
  private inFlight = 0;
  private inFlightBytes = 0;
  private sent = 0;
  private closed = false;
  /** Set by close: called when nothing is left to send. */
  private finish: (() => void) | undefined;

  constructor(
    private readonly settings: UdpSettings,
    private readonly log: Logger,
  ) {
    this.target = `${settings.host} port ${settings.port}`;
    this.outage = new Outage(log, this);
    void this.resolve();
  }

  get status(): OutputStatus {
    const inFlight = { records: this.inFlight, bytes: this.inFlightBytes };
    const status = queuedStatus(this.queue, inFlight, this.sent, this.outage);
    return this.socket === undefined && status.state === 'up' ? { ...status, state: 'connecting' } : status;
  }

  send(records: readonly Buffer[]): void {
    const now = Date.now();
    for (const record of records) {
      if (record.length <= this.settings.maxDatagram) this.queue.push(record, now);
      else this.refuse(record);
    }
    const age = performance.now() - this.lookedUp;
    if (!this.closed && !this.lookingUp && age > (this.failed > this.lookedUp ? errorAge : addressAge))
      void this.resolve();
    this.pump();
  }

  reopen(): void {
    // Nothing to open anew.
  }

  async close(deadline: number): Promise<void> {
    const finished = new Promise<void>((resolve) => (this.finish = resolve));
    const timer = setTimeout(() => this.finish?.(), deadline);
    this.pump();
    await finished;
    clearTimeout(timer);
    this.closed = true;
    this.socket?.close();
    this.socket = undefined;
    this.queue.clear('stopped');
    this.queue.drops.add('stopped', this.inFlight);
    this.inFlight = 0;
    this.inFlightBytes = 0;
    lastWord(this.log, this.status);
  }

  private pump(): void {
    while (this.socket !== undefined && this.inFlight < maxInFlight) {
      const record = this.queue.shift()?.bytes;
      if (record === undefined) break;
      this.inFlight++;
      this.inFlightBytes += record.length;
      this.transmit(this.socket, record, true);
    }
    if (this.socket === undefined && !this.lookingUp) this.queue.clear('unreachable');
    if (this.queue.length + this.inFlight === 0) this.finish?.();
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
      // Node calls back with an error where its types know none.
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
  private transmit(socket: Socket, record: Buffer, again: boolean): void {
    socket.send(record, (error: NodeJS.ErrnoException | null) => {
      if (this.closed) return;
      // About an earlier datagram: this one was not sent at all.
      if (error?.code === 'ECONNREFUSED' && again && this.socket === socket) {
        this.failure(error);
        this.transmit(socket, record, false);
        return;
      }
      this.inFlight--;
      this.inFlightBytes -= record.length;
      this.judge(error);
      this.pump();
    });
  }

  private judge(error: Error | null): void {
    if (error !== null) {
      this.queue.drops.add('unreachable');
      this.disturbed(error);
      return;
    }
    this.sent++;
    if (performance.now() - this.failed > calm) this.outage.end(`sending to ${this.target} again`);
  }

  /** Something went wrong with a datagram that was sent: by ICMP we were told that nobody listens on the port. */
  private failure(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNREFUSED' && this.sent > 0) {
      this.sent--;
      this.queue.drops.add('refused');
    }
    this.disturbed(error);
  }

  private disturbed(error: Error): void {
    this.failed = performance.now();
    this.outage.begin(`cannot send to ${this.target}: ${reasonOf(error)}`);
  }

  private refuse({ length }: Buffer): void {
    this.queue.drops.add('too_large');
    if (!this.oversize.due()) return;
    this.log.warn(
      `a record of ${length} bytes is dropped: longer than max_datagram, ${this.settings.maxDatagram} bytes`,
    );
  }
}
