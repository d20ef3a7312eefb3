import type { Process } from '../../kernel/process/process.ts';
import type { Domain } from '../../libvirt/protocol.ts';
import type { TypedParameters } from '../../libvirt/typed-parameters.ts';
import { domainStates } from '../../libvirt/hypervisor.ts';
import type { DisksBelow } from '../below/disks-below.ts';
import type { Detail, Guest, GuestDisk } from '../guest.ts';
import {
  balloonTold,
  disksTold,
  guestReported,
  monitorAnswered,
  numberOf,
  readCpu,
  readDetail,
  readNics,
} from './libvirt-stats.ts';
import { nameOf } from '../identity.ts';
import type { GuestNic, NetworkSource, NicReading, Sources } from '../sources.ts';
import type { DomainDevices } from './libvirt-xml.ts';
import { markVcpus } from '../qemu/vcpu-threads.ts';

/** The traffic of a domain of another host, where only libvirt tells it. */
export class ToldTraffic {
  readonly kind = 'told' satisfies NetworkSource['kind'];
  time = NaN;
  nics: readonly NicReading[] = [];
}

/**
 * Seconds between two queries of a balloon without another reason: libvirt sends events for its changes, and a balloon
 * whose guest reports is queried each time. This finds reports that are switched on while the domain runs.
 */
const BALLOON_INTERVAL = 60;

/** An active domain of libvirt, with its process where that can be seen. */
export class LibvirtVm implements Guest {
  readonly type = 'qemu';
  readonly key: string;
  readonly since: number | undefined;
  state: string | undefined;
  vcpus = 0;
  readonly disks: readonly GuestDisk[] = [];
  detail: Detail | undefined;
  silence: Guest['silence'];
  memory: number | undefined;
  /** Undefined until its XML was read. */
  devices: DomainDevices | undefined;
  /** Whether an event about it came since then. */
  outdated = true;
  /** When its XML was read, monotonic seconds. */
  xmlAt = -Infinity;
  /** Whether libvirt told of a change since its balloon was asked about. */
  balloonChanged = true;
  readonly name: string;
  private generation = -1;
  private answeredAt: number | undefined;
  private balloonAt = -Infinity;
  /** Whether its balloon has values that change without an event, or is the only sign that the monitor answers. */
  private balloonNeeded = true;

  /**
   * @param sources that of its process, where that can be seen
   * @param process undefined where it cannot
   * @param below finds the devices below its disks; undefined where its process cannot be seen
   */
  constructor(
    readonly domain: Domain,
    readonly sources: Sources,
    readonly process?: Process,
    private readonly below?: DisksBelow,
  ) {
    this.key = process?.key ?? `${domain.uuid}:${domain.id}`;
    this.since = process?.started();
    this.name = nameOf(domain.name) ?? domain.uuid;
  }

  get uuid(): string {
    return this.domain.uuid;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Follows the process; false when it is gone. */
  refresh(): boolean {
    if (this.process === undefined) return true;
    if (!this.process.refresh()) return false;
    if (this.generation !== this.process.generation) {
      this.vcpus = markVcpus(this.process);
      this.generation = this.process.generation;
    }
    return true;
  }

  /** Takes what the group state says. */
  takeState(parameters: TypedParameters): void {
    this.state = domainStates[numberOf(parameters, 'state.state')];
  }

  /** Takes what the group interface says, where nothing else does. @param time monotonic seconds */
  takeTraffic(parameters: TypedParameters, time: number): void {
    const { network } = this.sources;
    if (!(network instanceof ToldTraffic)) return;
    network.time = time;
    network.nics = readNics(parameters).map((nic) => {
      const limit = this.devices?.nics.find(({ device }) => device === nic.device)?.limit;
      return limit === undefined ? nic : { ...nic, limit };
    });
  }

  /** Its interfaces: those that libvirt told the traffic of, or where that is read here, those of its XML. */
  get nics(): readonly GuestNic[] {
    const { network } = this.sources;
    return network.kind === 'told' ? network.nics : (this.devices?.nics ?? []);
  }

  get cpuLimit(): number | undefined {
    return this.devices?.cpu.limit;
  }

  get vcpuLimit(): number | undefined {
    return this.devices?.cpu.vcpuLimit;
  }

  get cpuWeight(): number | undefined {
    return this.devices?.cpu.weight;
  }

  /** Notes that libvirt tells no state. */
  forgetState(): void {
    this.state = undefined;
  }

  /**
   * Whether to query its balloon too, which is half of the cost for QEMU: not if the answer is known.
   * @param time monotonic seconds
   */
  wantsBalloon(time: number): boolean {
    return this.balloonChanged || this.balloonNeeded || time - this.balloonAt >= BALLOON_INTERVAL;
  }

  /** Takes what the groups that need the monitor say. @param time monotonic seconds */
  takeDetail(parameters: TypedParameters, time: number): void {
    // Which drives are not disks is known a moment later.
    if (this.devices === undefined) return;
    if (monitorAnswered(parameters)) {
      const { balloon } = this.detail ?? {};
      this.below?.read();
      const detail = readDetail(parameters, time, this.devices);
      this.below?.under(detail.disks, time);
      this.detail = detail;
      if (balloonTold(parameters)) {
        this.balloonAt = time;
        this.balloonNeeded = this.devices.balloonStats || guestReported(parameters) || !disksTold(parameters);
      } else if (balloon !== undefined) {
        this.detail = { ...detail, balloon };
      }
      this.answeredAt = time;
      this.silence = undefined;
      this.memory = this.detail.balloon?.max;
    } else {
      this.silent('timeout', time);
      if (this.process === undefined) this.detail = { time, disks: [], ...readCpu(parameters) };
    }
    if (this.process === undefined) this.vcpus = this.detail?.vcpus?.length ?? 0;
  }

  /** Notes that there is no answer about it. @param time monotonic seconds */
  silent(reason: 'timeout' | 'error', time: number): void {
    this.detail = undefined;
    this.balloonNeeded = true;
    this.silence = { reason, since: this.answeredAt ?? this.silence?.since ?? time };
  }

  close(): void {
    this.below?.close();
    this.process?.close();
    this.sources.pressure?.close();
  }
}
