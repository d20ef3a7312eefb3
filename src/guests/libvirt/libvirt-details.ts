import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ConnectionError, LibvirtError } from '../../libvirt/error.ts';
import { statsGroups } from '../../libvirt/hypervisor.ts';
import type { Domain, DomainStats } from '../../libvirt/protocol.ts';
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

/** Why libvirt reports nothing. */
export type LibvirtTrouble = 'timeout' | 'error';

/** What is asked of domains in one call. */
export interface Question {
  /** {@link statsGroups} */
  readonly groups: number;
  /** All of them if empty. */
  readonly domains: readonly Domain[];
}

/** A domain whose process is seen here. */
interface SeenDomain {
  readonly domain: Domain;
  balloonChanged: boolean;
  wantsBalloon(time: number): boolean;
}

/** For all domains, where processes cannot be seen, so that libvirt must tell their CPU time. */
export const unseenQuestions: readonly Question[] = [
  { groups: DETAIL | statsGroups.cpu | statsGroups.vcpu, domains: [] },
];

/**
 * What to ask about domains that run here: the disks of all, and the balloon of those that want it. In QEMU the group block is
 * query-blockstats twice and query-named-block-nodes, the group balloon query-balloon and qom-get of guest-stats.
 * Measured, us a domain in libvirtd and all threads of QEMU: block 450 and 810, both 620 and 1420.
 * @param time monotonic seconds
 */
export function questionsAbout(vms: readonly SeenDomain[], time: number): readonly Question[] {
  const withBalloon: Domain[] = [];
  const disksOnly: Domain[] = [];
  for (const vm of vms) {
    if (vm.wantsBalloon(time)) withBalloon.push(vm.domain);
    else disksOnly.push(vm.domain);
    // Before the calls: changes during them are not in the answer.
    vm.balloonChanged = false;
  }
  return [
    { groups: DETAIL, domains: withBalloon },
    { groups: statsGroups.block, domains: disksOnly },
  ].filter(({ domains }) => domains.length > 0);
}

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
 * Asks for the statistics that libvirt has from the monitors of the domains, over a connection of its own, on which nothing
 * else waits.
 *
 * A domain whose QEMU hangs blocks the call about all domains without limit. That call keeps the domain busy, so the next
 * one, which skips busy domains, skips it.
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
   * @returns the answer, or why there is none
   */
  async ask(
    trouble: () => LibvirtTrouble | undefined,
    questions: readonly Question[],
  ): Promise<Details | LibvirtTrouble> {
    for (;;) {
      const known = trouble();
      if (known !== undefined) return known;
      try {
        return await this.askOnce(questions);
      } catch (error) {
        if (!(error instanceof ConnectionError) || error.trouble !== 'timeout') return 'error';
        // While libvirtd answers other calls, it is a domain that hangs.
        if ((this.session.hypervisor?.unanswered ?? Infinity) > MOST_HANGING) return 'timeout';
      }
    }
  }

  private async askOnce(questions: readonly Question[]): Promise<Details> {
    await this.session.ensure();
    const asked = performance.now() / 1000;
    const answers = [];
    for (const question of questions) {
      // A domain that ends during the call can fail it for all.
      const stats = await this.call(question).catch((error: unknown) => {
        if (error instanceof LibvirtError) return this.call(question);
        throw error;
      });
      answers.push({ groups: question.groups, stats });
    }
    const took = performance.now() / 1000 - asked;
    const stats = [];
    for (const answer of answers) stats.push(...(await this.complete(answer.groups, answer.stats)));
    return { asked, took, stats };
  }

  /** A domain that another client, or a hung call of ours that now continues, is asking is skipped and answers later. */
  private async complete(groups: number, first: readonly TimedStats[]): Promise<readonly TimedStats[]> {
    let stats = first;
    for (const pause of BUSY_PAUSES) {
      const skipped = stats.filter(({ parameters }) => !monitorAnswered(parameters));
      if (skipped.length === 0) break;
      await sleep(pause);
      const answered = stats.filter(({ parameters }) => monitorAnswered(parameters));
      const domains = skipped.map(({ domain }) => domain);
      stats = [...answered, ...(await this.call({ groups, domains }))];
    }
    return stats;
  }

  private async call({ groups, domains }: Question): Promise<TimedStats[]> {
    const { hypervisor } = this.session;
    if (hypervisor === undefined) throw new ConnectionError('closed', 'there is no connection');
    if (hypervisor.unanswered > MOST_HANGING)
      throw new ConnectionError('timeout', 'too many calls have no answer yet');
    const stats = await hypervisor.allDomainStats(groups, undefined, domains);
    const time = performance.now() / 1000;
    return stats.map((each) => ({ ...each, time }));
  }

  close(): void {
    this.session.close();
  }
}
