import type { Readable } from 'node:stream';

/** A sign of life of a watcher: to a login script that asks something, an empty line. */
export const BEAT = '\n';
/** ms from a beat to the next one, which answers whatever comes of the node then: part of a sample, too, where the link is slow. */
export const BEAT_INTERVAL = 5000;
/** Samples without a beat after which nobody watches; one is taken a second. */
const MOST_UNANSWERED = 30;

/**
 * The end of a heartbeat that is on the node: proxtop ends there when its watcher is gone, also where the connection is not told of it,
 * because the watcher hangs or the network is cut.
 *
 * Samples are counted, not time: that needs no timer, and a node that hung itself has not heard less of its watcher. Before the first beat
 * nothing is expected, and the end of the input means nothing: a watcher without beats has /dev/null there.
 */
export class Heartbeat {
  /** Samples since the last beat; undefined where none is expected. */
  private unanswered: number | undefined;

  /**
   * @param input where beats come from; whatever comes is one
   * @param onGone called once, with the reason for people
   */
  constructor(
    private readonly input: Readable,
    private readonly onGone: (why: string) => void,
  ) {
    const onEnd = (): void => {
      if (this.unanswered !== undefined) this.gone('it has ended');
    };
    input
      .on('data', () => {
        this.unanswered = 0;
      })
      .on('end', onEnd)
      .on('error', onEnd);
  }

  /** Counts a sample that the watcher gets. */
  sampled(): void {
    if (this.unanswered === undefined) return;
    this.unanswered++;
    if (this.unanswered >= MOST_UNANSWERED) this.gone(`no sign of life for ${MOST_UNANSWERED} samples`);
  }

  close(): void {
    this.unanswered = undefined;
    this.input.destroy();
  }

  private gone(why: string): void {
    this.close();
    this.onGone(why);
  }
}
