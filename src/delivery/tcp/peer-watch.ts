import type { Socket } from 'node:net';
import { unacknowledgedBytes } from '../../kernel/proc/proc-net-tcp.ts';

/** How a connection is watched, in ms. */
interface WatchPace {
  /** Without progress for so long, while data is in flight, the peer is given up. */
  readonly timeout: number;
  /** Bytes that the peer's kernel has had for so long count as read, while the peer keeps reading. */
  readonly age: number;
}

/**
 * Watches whether a connected peer keeps reading. It notices a peer that stopped reading (its window is closed, then our
 * buffers fill) and one that vanished silently: there the kernel still accepts our bytes for minutes, and keepalive does
 * not apply, as it probes only connections without data in flight.
 *
 * While a peer makes no progress nothing counts as read: what its kernel has may be lost with it.
 */
export class PeerWatch {
  private timer: NodeJS.Timeout | undefined;
  private readonly period: number;
  private readonly unacknowledged: () => Promise<number | undefined>;
  private acknowledged = 0;
  private onTheWay = 0;
  /** When a check last found progress, or no data in flight. */
  private flowed = performance.now();
  /** Bytes that count as read. */
  private read = 0;
  /** Acknowledged bytes that are not old enough yet, the oldest first. */
  private readonly seen: { readonly time: number; readonly bytes: number }[] = [];

  /**
   * @param socket a connected socket
   * @param onRead told how many bytes of the connection count as read, when these have become more
   */
  constructor(
    private readonly socket: Socket,
    private readonly pace: WatchPace,
    private readonly onRead: (bytes: number) => void,
    private readonly onStalled: () => void,
  ) {
    this.unacknowledged = unacknowledgedBytes(socket);
    this.period = Math.min(pace.timeout, pace.age) / 2;
    this.wait();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Whether the peer's kernel has all that was sent, as far as ours can tell. */
  async complete(): Promise<boolean> {
    return ((await this.unacknowledged()) ?? 0) === 0;
  }

  private wait(): void {
    this.timer = setTimeout(() => {
      void this.look();
    }, this.period).unref();
  }

  private async look(): Promise<void> {
    // Both are read before the kernel is asked, so that what is written meanwhile is not taken for acknowledged.
    const waiting = this.socket.writableLength;
    const taken = this.socket.bytesWritten - waiting;
    // Nothing was sent since all was read; the kernel need not be asked.
    const quiet = waiting === 0 && taken === this.read;
    if (quiet) this.flowed = performance.now();
    else this.judge(taken, (await this.unacknowledged()) ?? 0, waiting);
    if (this.timer === undefined) return;
    if (performance.now() - this.flowed >= this.pace.timeout) this.onStalled();
    else this.wait();
  }

  private judge(taken: number, onTheWay: number, waiting: number): void {
    const now = performance.now();
    const acknowledged = taken - onTheWay;
    const progress = acknowledged > this.acknowledged || onTheWay < this.onTheWay;
    this.onTheWay = onTheWay;
    this.acknowledged = Math.max(this.acknowledged, acknowledged);
    if (this.timer === undefined || (!progress && (onTheWay > 0 || waiting > 0))) return;
    this.flowed = now;
    this.seen.push({ time: now, bytes: this.acknowledged });
    while ((this.seen[0]?.time ?? Infinity) <= now - this.pace.age)
      this.read = this.seen.shift()?.bytes ?? this.read;
    if (this.read > 0) this.onRead(this.read);
  }
}
