import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ConnectionError, LibvirtError } from '../../libvirt/error.ts';
import { statsGroups } from '../../libvirt/hypervisor.ts';
import type { DomainStats } from '../../libvirt/protocol.ts';
import type { Directories } from '../../libvirt/transport.ts';
import { monitorAnswered } from './libvirt-stats.ts';
import { LibvirtSession } from './libvirt-session.ts';

/** ms that a call may take: it takes libvirtd 5 ms a domain while their monitors answer. */
const CALL_TIMEOUT = 5000;
/** ms after which domains that were busy are asked once more, again and again. */
const BUSY_PAUSES = [100, 200, 400];
/** Calls that may hang at a time: each keeps one of libvirtd's 20 threads, and the fourth of a connection is for asking. */
const MOST_HANGING = 3;
const DETAIL = statsGroups.balloon | statsGroups.block;
/** Needed where a process cannot be seen. */
const UNSEEN_DETAIL = DETAIL | statsGroups.cpu | statsGroups.vcpu;

/** Why libvirt tells nothing. */
export type LibvirtTrouble = 'timeout' | 'error';

/** What libvirt told of one domain, and when (monotonic seconds). */
interface TimedStats extends DomainStats {
  readonly time: number;
}

/** What libvirt told of all domains, when it was asked (monotonic seconds) and how long it was busy with that (s). */
interface Details {
  readonly asked: number;
  readonly took: number;
  readonly stats: readonly TimedStats[];
}

/**
 * Asks for the statistics that libvirt has from the monitors of the domains, over a connection of its own, on which
 * nothing else waits.
 *
 * A domain whose QEMU hangs holds up the call about all without limit. That call keeps the domain busy from then on, so
 * the next one, which skips busy domains, passes it by.
 */
export class LibvirtDetails {
  private readonly session: LibvirtSession;

  constructor(uri: string, directories: Directories, log: Logger) {
    // Why there is no connection is logged by the other one.
    const silent = log.child({}, { level: 'silent' });
    this.session = new LibvirtSession(uri, directories, CALL_TIMEOUT, silent);
  }

  /**
   * Never rejects.
   * @param trouble why libvirt as a whole tells nothing at the moment; undefined while it does
   * @param unseen whether there are domains whose process cannot be seen, so that libvirt must tell their CPU time
   * @returns the answer, or why there is none
   */
  async ask(trouble: () => LibvirtTrouble | undefined, unseen: boolean): Promise<Details | LibvirtTrouble> {
    const groups = unseen ? UNSEEN_DETAIL : DETAIL;
    for (;;) {
      const known = trouble();
      if (known !== undefined) return known;
      try {
        return await this.askOnce(groups);
      } catch (error) {
        if (!(error instanceof ConnectionError) || error.trouble !== 'timeout') return 'error';
        // While libvirtd answers other calls, it is a domain that hangs.
        if ((this.session.hypervisor?.unanswered ?? Infinity) > MOST_HANGING) return 'timeout';
      }
    }
  }

  private async askOnce(groups: number): Promise<Details> {
    await this.session.ensure();
    const asked = performance.now() / 1000;
    // A domain that ends during the call can fail it for all.
    let stats = await this.call(groups, []).catch((error: unknown) => {
      if (error instanceof LibvirtError) return this.call(groups, []);
      throw error;
    });
    const took = performance.now() / 1000 - asked;
    // One that another client just asks, or a call of ours that hung and goes on now, is skipped and answers later.
    for (const pause of BUSY_PAUSES) {
      const skipped = stats.filter(({ parameters }) => !monitorAnswered(parameters));
      if (skipped.length === 0) break;
      await sleep(pause);
      const answered = stats.filter(({ parameters }) => monitorAnswered(parameters));
      stats = [...answered, ...(await this.call(groups, skipped))];
    }
    return { asked, took, stats };
  }

  /** @param about the domains to ask about; all if empty */
  private async call(groups: number, about: readonly DomainStats[]): Promise<TimedStats[]> {
    const { hypervisor } = this.session;
    if (hypervisor === undefined) throw new ConnectionError('closed', 'there is no connection');
    if (hypervisor.unanswered > MOST_HANGING)
      throw new ConnectionError('timeout', 'too many calls have no answer yet');
    const domains = about.map(({ domain }) => domain);
    const stats = await hypervisor.allDomainStats(groups, undefined, domains);
    const time = performance.now() / 1000;
    return stats.map((each) => ({ ...each, time }));
  }

  close(): void {
    this.session.close();
  }
}
