import type { Sample } from '../sampling/sample.ts';

type Moment = Pick<Sample, 'time' | 'run' | 'seq' | 'interval'>;

/** Seconds by which times may differ from what is expected. */
const TOLERANCE = 1.5;

/** Notices where a recording is not what one run of proxtop recorded without a break. */
export class Breaks {
  private before: Moment | undefined;
  /** Seconds between two samples of the run, by their numbers; NaN where not known yet. */
  private tick = NaN;

  /** The break between a sample and the one before it, in words; undefined where there is none. */
  next({ time, run, seq, interval }: Moment): string | undefined {
    const { before } = this;
    const now = { time, run, seq, interval };
    this.before = now;
    if (before === undefined) return undefined;
    if (run !== before.run) {
      this.tick = NaN;
      return restarted(before.time, time);
    }
    const passed = (time - before.time) / 1000;
    if (!(interval > 0)) return undefined;
    const missing = Math.max(0, (seq - before.seq) * this.tick - interval) || 0;
    const jump = passed - interval - missing;
    const tolerance = Math.max(TOLERANCE, interval / 4);
    if (missing <= tolerance && Math.abs(jump) <= tolerance) this.tick = interval / (seq - before.seq);
    if (jump < -tolerance) return `the clock was set back by ${duration(-jump)}`;
    if (jump > tolerance) return `the clock was set forward by ${duration(jump)}, or the host slept`;
    return missing > tolerance ? `${duration(missing)} are missing: lost or damaged` : undefined;
  }

  /** The next sample does not follow the one shown before. */
  jumped(): void {
    this.before = undefined;
  }
}

function restarted(before: number, time: number): string {
  const seconds = (time - before) / 1000;
  if (seconds < 0) return `another run of proxtop, whose clock is ${duration(-seconds)} behind`;
  return `another run of proxtop, after ${duration(seconds)}`;
}

/** 75 s, 10 min, 2.5 h, 3 days. */
function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  const hours = Math.round(seconds / 360) / 10;
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
