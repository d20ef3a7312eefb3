import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Collector } from '../collectors/collector.ts';
import { TargetRows } from '../collectors/device-rows.ts';
import { now } from '../collectors/readings.ts';
import { SlowBeat } from '../collectors/slow-beat.ts';
import type { Guest } from '../guests/guest.ts';
import type { Inventory } from '../guests/inventory.ts';
import { KernelFile } from '../kernel/base/kernel-file.ts';
import { hostNameFile } from '../kernel/base/namespaces.ts';
import type { Paths } from '../kernel/base/paths.ts';
import { Attempts } from '../base/pacing/attempts.ts';
import { spaced } from '../base/pacing/spaced.ts';
import { slots } from '../catalogue/catalogue.ts';
import { Agent } from './agent.ts';
import type { ObservedOutput } from './output-status.ts';
import type { CollectorRun, Sample } from './sample.ts';
import { SinceStart } from './since-start.ts';
import { Targets } from './targets.ts';

const id = slots('host', 'host');
/** Seconds between two checks of the host's name. */
const HOSTNAME_INTERVAL = 10;

class Host extends TargetRows<'host'> {
  private readonly file: KernelFile;
  private hostname: string | undefined;
  private readonly beat = new SlowBeat(HOSTNAME_INTERVAL);

  constructor(paths: Paths) {
    super('host');
    this.file = new KernelFile(hostNameFile(paths));
  }

  /**
   * Starts a cycle: forgets all values and says which host it is, whatever is collected.
   * @param name if not this one
   * @param time monotonic seconds
   */
  begin(name: string | undefined, time: number): void {
    this.clear();
    if (this.beat.due(time)) this.hostname = this.file.text();
    this.row.texts[id.host_name] = name ?? this.hostname;
  }

  close(): void {
    this.file.close();
  }
}

/** One cycle: takes the inventory, lets every collector read and derive, and yields the sample. */
export class Sampler {
  readonly agent = new Agent();
  private readonly run = randomBytes(6).toString('hex');
  private readonly began = { program: Math.round(performance.timeOrigin), run: Date.now() };
  private readonly host: Host;
  private readonly targets = new Targets();
  private runs: readonly CollectorRun[] = [];
  private readonly attempts: Attempts;
  private seq = 0;
  private last: number | undefined;
  /** Handles keys of the view, unless that was done just now; undefined without a view. */
  private readonly attend: (() => void) | undefined;

  /**
   * @param attend called now and then in a cycle, between collectors and within them between guests: the rows are half
   *   filled then, and must not be looked at. A cycle does not return to the event loop: answers of monitors and scrapers
   *   that come meanwhile would find half a sample.
   */
  constructor(
    paths: Paths,
    private readonly inventory: Inventory,
    private readonly collectors: readonly Collector[],
    log: Logger,
    readonly since = new SinceStart(),
    attend?: () => void,
  ) {
    this.host = new Host(paths);
    this.attempts = new Attempts(log, since);
    this.attend = attend && spaced(attend);
  }

  /** Reads everything once without yielding a sample, so that the first one has rates. */
  prime(): void {
    this.read();
  }

  /** The VMs that run now; none while the inventory fails. */
  guests(): readonly Guest[] {
    let vms: readonly Guest[] = [];
    this.attempts.run('the inventory of VMs', () => {
      vms = this.inventory.guests(this.attend);
    });
    return vms;
  }

  /** Runs a cycle. The sample is valid until the next one. */
  sample(missedTicks: number, outputs: readonly ObservedOutput[]): Sample {
    const time = Date.now();
    const before = this.last;
    const started = this.read();
    const { since } = this;
    this.attempts.run('what proxtop tells of itself', () => {
      this.agent.fill(
        {
          missedTicks: since.missedTicks + missedTicks,
          collectorErrors: since.errors,
          pollFailures: since.pollFailures + this.inventory.failures,
        },
        outputs,
      );
    });
    return {
      time,
      run: this.run,
      seq: ++this.seq,
      interval: before === undefined ? NaN : started - before,
      began: this.began,
      host: this.host.tree,
      guests: this.targets.rows,
      unseen: this.inventory.unseen,
      agent: this.agent,
      collectors: this.collectors.map(({ name }) => name),
      runs: this.runs,
    };
  }

  /** @returns when the cycle began, in monotonic seconds */
  private read(): number {
    const started = now();
    this.host.begin(this.inventory.hostname, started);
    this.targets.follow(this.guests(), started);
    this.runs = this.collectors.map((collector) => {
      this.attend?.();
      const before = performance.now();
      const failed = !this.attempts.run(`collector ${collector.name}`, () => {
        collector.collect(this.host, this.targets.list, this.attend);
      });
      return { name: collector.name, duration: performance.now() - before, failed };
    });
    this.last = started;
    return started;
  }

  close(): void {
    this.host.close();
    this.since.pollFailures += this.inventory.failures;
    for (const collector of this.collectors) collector.close();
    this.inventory.close();
  }
}
