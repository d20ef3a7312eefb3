import type { Logger } from 'pino';
import { refusedOpens } from '../../kernel/base/open-files.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { Process } from '../../kernel/process/process.ts';
import { ConnectionError, LibvirtError } from '../../libvirt/error.ts';
import type { Hypervisor } from '../../libvirt/hypervisor.ts';
import { statsGroups } from '../../libvirt/hypervisor.ts';
import type { Domain, DomainStats } from '../../libvirt/protocol.ts';
import type { Directories } from '../../libvirt/transport.ts';
import { DisksBelow } from '../below/disks-below.ts';
import { HostDevices } from '../below/host-device.ts';
import type { Guest } from '../guest.ts';
import type { Beat, Inventory } from '../inventory.ts';
import type { LibvirtTrouble } from './libvirt-details.ts';
import { LibvirtDetails, questionsAbout, unseenQuestions } from './libvirt-details.ts';
import { LibvirtSession } from './libvirt-session.ts';
import { processOf } from './libvirt-process.ts';
import { LibvirtVm, ToldTraffic } from './libvirt-vm.ts';
import { LARGEST_XML, readDevices } from './libvirt-xml.ts';
import { scopeCgroup } from '../../kernel/sys/cgroup/own-cgroup.ts';
import { PollSchedule } from '../poll-schedule.ts';
import { processSources, toldSources } from '../sources.ts';
import type { QemuProcess } from '../qemu/qemu-finder.ts';
import { QemuFinder } from '../qemu/qemu-finder.ts';

/** ms that a call may take which asks no monitor; such ones take libvirtd less than 1 ms. */
const CALL_TIMEOUT = 3000;
/**
 * Seconds between two queries of states without an event. libvirt tells of every change by an event; this
 * finds a libvirtd that hangs. A call costs us 0.3 ms with 50 domains, a fifteenth of a cycle.
 */
const STATE_INTERVAL = 5;
/**
 * Seconds in which the process of a domain is looked for at every poll: libvirt lists a domain a moment before its process
 * is there, and a moment after it has ended. One that has none by then has a row of what libvirt tells.
 */
const SEARCH = 5;
/** Seconds between two readings of an XML without an event: a changed limit of a NIC causes none. */
const XML_INTERVAL = 300;
/** Names of domains that the log tells in one line. */
const MOST_NAMES = 5;
/** The scope that libvirt makes for a domain through systemd, and the group it makes without. */
const SCOPE = /^machine-qemu.*\.scope$|\.libvirt-qemu$/;
/**
 * Groups that are answered without asking the monitor of a domain. For each interface libvirtd reads all of
 * /proc/net/dev: of 50 domains with one each that cost it 90 us a domain, the state alone 10.
 */
const REMOTE_STATE = statsGroups.state | statsGroups.interface;

/**
 * The active domains of a libvirt daemon. Values of their processes come from /proc, if it can be seen; the state from
 * statistics that need no monitor, in every cycle; disks and balloon from those that do, at the slower interval and over a
 * connection of their own: a domain whose QEMU hangs blocks only that call.
 */
export class LibvirtInventory implements Inventory {
  readonly name = 'libvirt';
  /** Queries since the start without an answer, about one domain or about all. */
  failures = 0;
  hostname: string | undefined;
  private readonly session: LibvirtSession;
  private readonly details: LibvirtDetails;
  private readonly stateSchedule: PollSchedule;
  private readonly detailSchedule: PollSchedule;
  private readonly finder: QemuFinder;
  /** Those that disks of domains lie on. */
  private readonly devices: HostDevices;
  /** By UUID. */
  private vms = new Map<string, LibvirtVm>();
  /** The same; a new list whenever it changes. */
  private list: readonly LibvirtVm[] = [];
  /** The answer that the VMs and their states stand for. */
  private followed: readonly DomainStats[] | undefined;
  private askingStates: Promise<void> | undefined;
  private askingDetails: Promise<void> | undefined;
  /** Whether something happened since the call under way was sent. */
  private outdated = false;
  /** Domains that have no process, by UUID, and since when (monotonic seconds). */
  private missing = new Map<string, number>();
  /** Why libvirt told no states when it was last asked. */
  private trouble: LibvirtTrouble | undefined = 'error';
  /** VMs whose silence was logged. */
  private readonly reported = new WeakSet<LibvirtVm>();

  /** @param local whether the processes of the domains are in the procfs that `paths` names */
  constructor(
    uri: string,
    directories: Directories,
    private readonly paths: Paths,
    beat: Beat,
    private readonly log: Logger,
    private readonly local: boolean,
  ) {
    this.finder = new QemuFinder(paths);
    this.devices = new HostDevices(paths);
    this.stateSchedule = new PollSchedule(STATE_INTERVAL, beat.frequency);
    this.detailSchedule = PollSchedule.of(beat);
    this.session = new LibvirtSession(uri, directories, CALL_TIMEOUT, log, (hypervisor) =>
      this.opened(hypervisor),
    );
    this.details = new LibvirtDetails(uri, directories, log);
  }

  private async opened(hypervisor: Hypervisor): Promise<void> {
    hypervisor.on('domain', ({ kind, domain }) => {
      const vm = this.vms.get(domain.uuid);
      if (vm !== undefined) vm.balloonChanged = true;
      if (kind === 'balloon') return;
      if (vm !== undefined) vm.outdated = true;
      void this.askStates();
    });
    await hypervisor.subscribe();
    if (!this.local) this.hostname = await hypervisor.hostname();
  }

  get unseen(): string | undefined {
    return this.session.failure;
  }

  guests(attend?: () => void): readonly Guest[] {
    for (const vm of this.list) {
      attend?.();
      if (!vm.refresh()) this.drop(vm);
    }
    return this.list;
  }

  async poll(everyone = false): Promise<void> {
    await this.session.ensure();
    const time = performance.now() / 1000;
    const states = everyone || this.statesDue(time) ? this.askStates() : undefined;
    if (everyone) await states;
    const due = everyone || this.detailSchedule.due(time);
    await Promise.all([states, due ? this.askDetails() : undefined]);
  }

  /** Whether the states that are known may be wrong, or are not all. */
  private statesDue(time: number): boolean {
    if (!this.local || this.trouble !== undefined || this.stateSchedule.due(time)) return true;
    for (const since of this.missing.values()) if (time - since < SEARCH) return true;
    return false;
  }

  /** One call at a time: while libvirtd does not answer, no other is sent after it. */
  private askStates(): Promise<void> {
    this.outdated = true;
    this.askingStates ??= this.refreshStates().finally(() => {
      this.askingStates = undefined;
    });
    return this.askingStates;
  }

  private async refreshStates(): Promise<void> {
    const { hypervisor } = this.session;
    try {
      if (hypervisor === undefined) throw new ConnectionError('closed', 'there is no connection');
      while (this.outdated) {
        if (hypervisor.unanswered > 0)
          throw new ConnectionError('timeout', 'the last call has no answer yet');
        this.outdated = false;
        this.stateSchedule.visited(performance.now() / 1000, 0);
        this.follow(
          await (this.local ? hypervisor.allDomainStates() : hypervisor.allDomainStats(REMOTE_STATE)),
        );
        await this.readXmls(hypervisor);
        this.trouble = undefined;
      }
    } catch (error) {
      this.failures++;
      this.trouble = error instanceof ConnectionError && error.trouble === 'timeout' ? 'timeout' : 'error';
      this.log.debug(`libvirt: ${(error as Error).message}`);
      // Without a process nothing but libvirt can tell that a domain still runs.
      this.followed = undefined;
      for (const vm of this.list) {
        if (vm.process === undefined) this.vms.delete(vm.uuid);
        else vm.forgetState();
      }
      this.keep(this.vms);
    }
  }

  /** Takes the list of domains as it is now. */
  private follow(stats: readonly DomainStats[]): void {
    if (stats === this.followed && this.missing.size === 0) return;
    const time = performance.now() / 1000;
    const next = new Map<string, LibvirtVm>();
    const missing = new Map<string, number>();
    const given: string[] = [];
    let found: readonly QemuProcess[] | undefined;
    const processes = (): readonly QemuProcess[] => (found ??= this.finder.find(time));
    for (const { domain, parameters } of stats) {
      const known = this.known(domain);
      let vm = known?.process === undefined ? (this.adopt(domain, processes) ?? known) : known;
      if (this.local && vm?.process === undefined) {
        const since = this.missing.get(domain.uuid) ?? time;
        missing.set(domain.uuid, since);
        if (time - since < SEARCH) continue;
        if (vm === undefined) given.push((vm = new LibvirtVm(domain, toldSources({ kind: 'host' }))).name);
      }
      vm ??= new LibvirtVm(domain, toldSources(new ToldTraffic()));
      vm.takeState(parameters);
      vm.takeTraffic(parameters, time);
      next.set(domain.uuid, vm);
    }
    for (const vm of this.list) if (next.get(vm.uuid) !== vm) vm.close();
    this.keep(next);
    this.missing = missing;
    this.followed = stats;
    if (given.length > 0) this.reportMissing(given);
  }

  private reportMissing(names: readonly string[]): void {
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
    this.log.warn(
      `libvirt: no process found for VM ${names.slice(0, MOST_NAMES).join(', ')}${more} in ${this.paths.roots.procfs}: ` +
        'only what libvirt reports is shown',
    );
  }

  private keep(vms: Map<string, LibvirtVm>): void {
    this.vms = vms;
    this.list = [...vms.values()];
  }

  /** The VM of a domain that still runs; one with another id was restarted. */
  private known({ uuid, id }: Domain): LibvirtVm | undefined {
    const vm = this.vms.get(uuid);
    return vm?.domain.id === id ? vm : undefined;
  }

  /** A domain with its process; undefined if that cannot be seen, is not there yet, or has ended. */
  private adopt(domain: Domain, processes: () => readonly QemuProcess[]): LibvirtVm | undefined {
    const refused = refusedOpens();
    const found = this.local ? processOf(domain, processes()) : undefined;
    const process = found && Process.open(this.paths, found.pid);
    if (found === undefined || process === undefined) return undefined;
    const cgroup = scopeCgroup(this.paths, found.pid, SCOPE);
    const sources = processSources(process, cgroup, found.args.memoryPlaces, { kind: 'host' });
    const below = new DisksBelow(this.paths, found.pid, this.devices);
    const vm = new LibvirtVm(domain, sources, process, below);
    vm.refresh();
    if (refusedOpens() === refused) return vm;
    // Files that are opened only once, such as its cgroup, would be missing for ever.
    vm.close();
    return undefined;
  }

  /** Its process has ended; libvirt may not know it yet. */
  private drop(vm: LibvirtVm): void {
    vm.close();
    this.vms.delete(vm.uuid);
    this.missing.set(vm.uuid, performance.now() / 1000);
    this.keep(this.vms);
  }

  /** A domain's XML is read when it is new or something happened to it, and now and then. */
  private async readXmls(hypervisor: Hypervisor): Promise<void> {
    const time = performance.now() / 1000;
    for (const vm of this.list) {
      if (!vm.outdated && time - vm.xmlAt < XML_INTERVAL) continue;
      // Before the call: what happens during it makes the answer outdated.
      vm.outdated = false;
      vm.xmlAt = time;
      const xml = await hypervisor.domainXml(vm.domain).catch((error: unknown) => {
        // It has just ended, or we may not see it.
        if (error instanceof LibvirtError) return '';
        vm.outdated = true;
        throw error;
      });
      if (xml.length > LARGEST_XML)
        this.log.warn(
          `VM ${vm.name}: NICs and drives are unknown: its XML is too large, ${xml.length} characters`,
        );
      vm.devices = readDevices(xml.length > LARGEST_XML ? '' : xml);
    }
  }

  private askDetails(): Promise<void> {
    this.askingDetails ??= this.refreshDetails().finally(() => {
      this.askingDetails = undefined;
    });
    return this.askingDetails;
  }

  private async refreshDetails(): Promise<void> {
    const unseen = !this.local || this.list.some(({ process }) => process === undefined);
    const questions = unseen ? unseenQuestions : questionsAbout(this.list, performance.now() / 1000);
    const answer = await this.details.ask(() => this.trouble, questions);
    if (typeof answer === 'string') {
      const time = performance.now() / 1000;
      this.failures++;
      this.detailSchedule.visited(time, 0);
      for (const vm of this.list) vm.silent(answer, time);
      return;
    }
    const { asked, took, stats } = answer;
    this.detailSchedule.visited(asked, took);
    for (const { domain, parameters, time } of stats) this.known(domain)?.takeDetail(parameters, time);
    for (const vm of this.list) this.report(vm);
  }

  private report(vm: LibvirtVm): void {
    if (vm.silence === undefined) {
      if (this.reported.delete(vm)) this.log.info(`VM ${vm.name}: the monitor answers again`);
      return;
    }
    this.failures++;
    if (this.reported.has(vm)) return;
    this.reported.add(vm);
    this.log.warn(`VM ${vm.name}: QMP values are omitted (timeout): libvirt gets no answer from its monitor`);
  }

  close(): void {
    this.session.close();
    this.details.close();
    for (const vm of this.list) vm.close();
    this.keep(new Map());
  }
}
