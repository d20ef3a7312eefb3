import type { Beat } from './inventory.ts';

/** Default seconds between two visits to a monitor: as pvestatd, whose graphs show no more. */
const USUAL_INTERVAL = 10;
/**
 * How far a poll may be moved from its time, as a share of the interval: it spreads the polls of many VMs. It is at
 * least one tick, because a smaller one would be lost when the next poll falls on a tick again.
 */
const JITTER = 0.1;
/** A monitor may be busy with us for at most this share of the time. */
const LARGEST_SHARE = 0.1;

/**
 * When to ask one monitor again. The interval is jittered, so that visits to many monitors spread out and do not coincide
 * with the ten-second interval of Proxmox VE's own daemon. It grows when a visit takes long.
 */
export class PollSchedule {
  /** When it was visited last, in monotonic seconds. */
  visitedAt = -Infinity;
  private next = -Infinity;
  /** No visit is made before this time, even on request. */
  private restsUntil = -Infinity;

  /**
   * @param interval seconds between two visits
   * @param tick seconds between two calls of {@link due}: no visit is put off by more than half of it
   */
  constructor(
    private readonly interval: number,
    private readonly tick: number,
    private readonly random: () => number = Math.random,
  ) {}

  /** The schedule for an interval. */
  static of({ detailInterval, frequency }: Beat): PollSchedule {
    return new PollSchedule(detailInterval ?? Math.max(USUAL_INTERVAL, frequency), frequency);
  }

  /**
   * @param time monotonic seconds
   * @param interval seconds after the last visit that suffice, where somebody waits for it
   */
  due(time: number, interval?: number): boolean {
    const next = interval === undefined ? this.next : Math.max(this.visitedAt + interval, this.restsUntil);
    return time >= next - this.tick / 2;
  }

  /** Notes a visit that began at `time` and took `duration`, in seconds. */
  visited(time: number, duration: number): void {
    // With one tick an interval there is nothing to spread: a jitter would only skip ticks.
    const spread = this.interval < 2 * this.tick ? 0 : Math.max(JITTER * this.interval, this.tick);
    const jitter = (2 * this.random() - 1) * spread;
    this.visitedAt = time;
    this.restsUntil = time + duration / LARGEST_SHARE;
    this.next = Math.max(time + this.interval + jitter, this.restsUntil);
  }
}
