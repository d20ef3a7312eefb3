import type { ObservedOutput } from '../sampling/output-status.ts';
import { brief } from '../base/strings/printable.ts';
import type { Notify } from './notify.ts';

/** ms between two updates of the status line. */
const statusPeriod = 10_000;
/** ms by which a sample may be late, beside as long as two take. */
const patience = 10_000;

/**
 * Messages to the service manager (sd_notify(3), sd_watchdog_enabled(3)): when the service is ready, reloads and stops, a
 * status line, and for the watchdog that samples come. A program that hangs sends nothing, and neither does one whose
 * timers run while no samples come.
 */
export class Service {
  private readonly watched: boolean;
  private readonly timer: NodeJS.Timeout | undefined;
  private ready = false;
  /** The monotonic time, ms, by which there must be a sample. */
  private due = Infinity;
  private vms = 0;
  /** Why there are no samples to take. */
  private idleReason: string | undefined;
  /** Why the last change of the configuration was refused. */
  private refused: string | undefined;
  private told = '';

  /** @param notify undefined where no service manager listens */
  constructor(
    private readonly notify: Notify | undefined,
    env: NodeJS.ProcessEnv,
    private readonly outputs: readonly ObservedOutput[],
  ) {
    const watchdog = watchdogPeriod(env);
    this.watched = watchdog !== undefined;
    if (notify === undefined) return;
    // Two signs of life may be late or lost.
    const period = Math.min(statusPeriod, (watchdog ?? Infinity) / 3);
    this.timer = setInterval(() => {
      this.beat();
    }, period).unref();
  }

  /** There is nothing to sample, for a reason that the status tells. */
  idle(why: string): void {
    this.idleReason = why;
    this.due = Infinity;
    this.announce();
  }

  /** A sample was taken. @param interval seconds until the next one */
  sampled(vms: number, interval: number): void {
    const wasIdle = this.idleReason !== undefined;
    this.vms = vms;
    this.idleReason = undefined;
    this.due = performance.now() + 2 * interval * 1000 + patience;
    if (wasIdle) this.beat();
    this.announce();
  }

  /** The configuration is read again. */
  reloading(): void {
    // Which clock systemd wants: CLOCK_MONOTONIC, which is what hrtime reads.
    const now = process.hrtime.bigint() / 1000n;
    this.notify?.('RELOADING=1', `MONOTONIC_USEC=${now}`, 'STATUS=Reading the configuration');
  }

  /** The new configuration runs, or the one before, for a reason that the status tells. */
  reloaded(refused?: string): void {
    this.refused = refused && brief(refused);
    this.due = Infinity;
    if (!this.ready) return;
    this.ready = false;
    this.announce();
  }

  stopping(): void {
    clearInterval(this.timer);
    this.notify?.('STOPPING=1', 'STATUS=Delivering what is queued');
  }

  private announce(): void {
    if (this.ready) return;
    this.ready = true;
    this.told = this.status();
    this.notify?.('READY=1', `STATUS=${this.told}`);
  }

  private beat(): void {
    if (!this.ready) return;
    const status = this.status();
    const news = status === this.told ? [] : [`STATUS=${status}`];
    this.told = status;
    const alive = this.watched && performance.now() < this.due ? ['WATCHDOG=1'] : [];
    if (news.length + alive.length > 0) this.notify?.(...news, ...alive);
  }

  private status(): string {
    const refused = this.refused === undefined ? [] : [`the new configuration is refused: ${this.refused}`];
    const outputs = this.outputs.map(describeOutput);
    const now = this.idleReason === undefined ? [`${this.vms} VMs`, ...outputs] : [this.idleReason];
    return [...now, ...refused].join('; ');
  }
}

function describeOutput({ name, status }: ObservedOutput): string {
  const { state, queued, spooled, dropped } = status;
  return `${name} ${state}, ${queued + spooled} waiting, ${dropped} dropped`;
}

/** ms within which the watchdog wants a sign of life from this process; undefined where it wants none. */
function watchdogPeriod({ WATCHDOG_USEC: period, WATCHDOG_PID: pid }: NodeJS.ProcessEnv): number | undefined {
  if (period === undefined || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  return Number(period) / 1000;
}
