import type { Socket } from 'node:net';
import { unacknowledgedBytes } from '../../kernel/proc-net-tcp.ts';

/**
 * Watches whether a connected peer keeps taking what is sent to it. It notices both a peer that stopped reading (its
 * window is closed, then our buffers fill) and one that vanished without a word: there the kernel still takes our
 * bytes for minutes and keepalive does not apply, as it probes only connections with nothing on its way.
 */
export class PeerWatch {
  /** Bytes of this connection that the peer's kernel is known to have. */
  acknowledged = 0;
  private unacknowledged = 0;
  /** Looks in a row that found bytes on their way and no progress. */
  private stuck = 0;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param socket a connected socket
   * @param timeout ms without progress while bytes are on their way; noticed at most half of it later
   */
  constructor(
    socket: Socket,
    timeout: number,
    private readonly onStalled: () => void,
  ) {
    const unacknowledged = unacknowledgedBytes(socket);
    const look = (): void => {
      // Both are read before the kernel is asked, so that what is written meanwhile is not taken for acknowledged.
      const waiting = socket.writableLength;
      const taken = socket.bytesWritten - waiting;
      void unacknowledged().then((bytes) => {
        if (this.timer === undefined) return;
        this.judge(taken, bytes ?? 0, waiting);
        if (this.stuck > 2) this.onStalled();
        else this.timer = setTimeout(look, timeout / 2).unref();
      });
    };
    this.timer = setTimeout(look, timeout / 2).unref();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private judge(taken: number, unacknowledged: number, waiting: number): void {
    const acknowledged = taken - unacknowledged;
    const idle = unacknowledged === 0 && waiting === 0;
    const progress = acknowledged > this.acknowledged || unacknowledged < this.unacknowledged;
    this.stuck = idle || progress ? 0 : this.stuck + 1;
    this.unacknowledged = unacknowledged;
    this.acknowledged = Math.max(this.acknowledged, acknowledged);
  }
}
