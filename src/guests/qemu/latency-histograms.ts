import type { BlockStats } from '../../qmp/blockstats.ts';
import { QmpError } from '../../qmp/errors.ts';
import { setHistograms } from '../../qmp/latency-histogram.ts';
import type { Monitor } from '../../qmp/monitor.ts';
import { PreparedQueries } from '../../qmp/query.ts';

/** Disks per visit: QEMU takes 0.4 ms to read a command, in the thread that serves the guest. */
const MOST_AT_ONCE = 16;

/**
 * Has the QEMU of one VM count how long operations take, where its user wants that. It changes QEMU, so:
 *
 * - Only the QEMU of root's, or of the user that we are.
 * - Only disks, and only after an answer without a histogram: those of other tools keep their boundaries.
 * - Once for each disk, as long as it is plugged in: if another tool removes it or QEMU refuses it, that stays.
 * - Nothing is undone at the end: the next start finds its histograms, and to remove them might remove those of others.
 *   QEMU forgets them when it ends, or when the disk is unplugged.
 */
export class LatencyHistograms {
  /** Operations of the disks that need nothing more, by qdev. */
  private settled = new Map<string, number>();
  private told = false;

  /**
   * @param isOurs whether it still is a QEMU that we may change
   * @param tell is told once why QEMU refuses
   */
  constructor(
    private readonly isOurs: () => boolean,
    private readonly tell: (why: string) => void,
  ) {}

  /**
   * Never rejects.
   * @param disks as a visit to this monitor just told
   * @returns why there was no answer
   */
  async update(monitor: Pick<Monitor, 'ask'>, disks: readonly BlockStats[]): Promise<QmpError | undefined> {
    const before = this.settled;
    this.settled = new Map();
    const missing: string[] = [];
    for (const { qdev, rdOps, wrOps, histograms } of disks) {
      if (qdev === undefined) continue;
      const operations = rdOps + wrOps;
      // Fewer than before: the disk was plugged in again.
      const isKnown = before.has(qdev) && !(operations < (before.get(qdev) ?? NaN));
      const isSettled = histograms !== undefined || isKnown;
      if (isSettled) this.settled.set(qdev, operations);
      else missing.push(qdev);
    }
    if (missing.length === 0 || !this.isOurs()) return undefined;
    const now = missing.slice(0, MOST_AT_ONCE);
    const answers = await monitor.ask(new PreparedQueries(now.map(setHistograms)));
    if (answers instanceof QmpError) return answers;
    const refusal = answers.find(({ error }) => error !== undefined)?.error;
    if (refusal !== undefined && !this.told) {
      this.told = true;
      this.tell(`QEMU keeps no latency histograms: ${refusal.desc}`);
    }
    for (const qdev of now) this.settled.set(qdev, 0);
    return undefined;
  }
}
