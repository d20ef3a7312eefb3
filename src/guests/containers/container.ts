import { KernelFile } from '../../kernel/base/kernel-file.ts';
import { hasHostNetwork } from '../../kernel/base/namespaces.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { NetDev, parseNetDev } from '../../kernel/proc/proc-net-dev.ts';
import { Cgroup } from '../../kernel/sys/cgroup/cgroup.ts';
import { CgroupEvents, parseCgroupEvents } from '../../kernel/sys/cgroup/cgroup-events.ts';
import type { ZfsDatasets } from '../../kernel/sys/zfs/zfs-datasets.ts';
import type { Guest, GuestDisk } from '../guest.ts';
import { nameOf } from '../identity.ts';
import type { ContainerVolume, ContainerConfig } from '../proxmox/container-config.ts';
import type { PveNic } from '../proxmox/pve-taps.ts';
import type { ContainerStorage, FileSystemUse, GuestNic, NetworkSource, Sources } from '../sources.ts';
import { ContainerMounts } from './container-mounts.ts';
import type { ContainerPlace } from './container-places.ts';
import type { InitProcess } from './init-process.ts';

/** Of a container without a configuration only its root is known. */
const ROOT_ONLY: readonly ContainerVolume[] = [{ device: 'rootfs', mountPoint: '/' }];
/** Interfaces that managers give a container. Those that it made itself would count its traffic twice. */
const GIVEN_NIC = /^(?:eth|en|host|net)[a-z0-9]*$/;

/** A running container: its cgroup, its first process, and what its configuration says. */
export class Container implements Guest {
  readonly type: 'lxc' | 'nspawn';
  readonly key: string;
  readonly since: number | undefined;
  readonly sources: Sources;
  readonly vcpus = 0;
  nics: readonly GuestNic[] = [];
  /** How full its root is; see {@link ContainerStorage}. */
  root: FileSystemUse | undefined;
  /** What is mounted where it has its volumes. */
  readonly mounts: ContainerMounts;
  private readonly cgroup: Cgroup;
  private readonly events = new CgroupEvents();
  private readonly table = new NetDev();
  private config: ContainerConfig | undefined;
  private veths: readonly PveNic[] = [];

  /**
   * @param init undefined where it cannot be found
   * @param identity of the cgroup, for a container without
   */
  constructor(
    private readonly paths: Paths,
    readonly place: ContainerPlace,
    private readonly init: InitProcess | undefined,
    identity: string,
    datasets: ZfsDatasets,
  ) {
    this.type = place.layout === 'nspawn' ? 'nspawn' : 'lxc';
    this.key = init?.key ?? identity;
    this.since = init?.started(paths);
    this.mounts = new ContainerMounts(paths, datasets);
    this.cgroup = new Cgroup(paths, place.group);
    const { cgroup } = this;
    const inCgroup = { kind: 'cgroup', cgroup } as const;
    this.sources = {
      cpu: inCgroup,
      memory: inCgroup,
      storage: this.storage(),
      network: this.network(),
      pressure: cgroup,
    };
  }

  private storage(): ContainerStorage {
    const { cgroup, mounts } = this;
    const root = (): FileSystemUse | undefined => this.root;
    return {
      kind: 'cgroup',
      cgroup,
      get mounted() {
        return mounts.mounted;
      },
      get root() {
        return root();
      },
    };
  }

  /** Proxmox VE names the ends on the host after the container; of others only the ends inside are known. */
  private network(): NetworkSource {
    const { init, place } = this;
    if (place.layout === 'proxmox' || init === undefined || hasHostNetwork(this.paths, init.pid))
      return { kind: 'host' };
    return { kind: 'namespace', netDev: new KernelFile(this.paths.pid(init.pid, 'net/dev'), true) };
  }

  get pid(): number | undefined {
    return this.init?.pid;
  }

  get uuid(): string {
    const { layout, name } = this.place;
    return `${layout}-${name}`;
  }

  get name(): string {
    const { layout, name } = this.place;
    if (layout !== 'proxmox') return nameOf(name) ?? layout;
    return nameOf(this.config?.name) ?? `CT${name}`;
  }

  get vmid(): string | undefined {
    return this.place.layout === 'proxmox' ? this.place.name : undefined;
  }

  get tags(): string | undefined {
    return this.config?.tags;
  }

  get lock(): string | undefined {
    return this.config?.lock;
  }

  get state(): string {
    return this.events.frozen ? 'frozen' : 'running';
  }

  get disks(): readonly GuestDisk[] {
    return this.config?.volumes ?? [];
  }

  configure(config: ContainerConfig | undefined): void {
    if (config === this.config) return;
    this.config = config;
    this.attach(this.veths);
  }

  /** Takes over which ends of NICs on the host it has now; of Proxmox VE. */
  attach(veths: readonly PveNic[]): void {
    this.veths = veths;
    const rates = this.config?.rates;
    this.nics = veths.map((veth) => ({ ...veth, limit: rates?.get(veth.number) }));
  }

  /** False when it has ended. */
  refresh(): boolean {
    if (this.init?.refresh() === false) return false;
    const { events } = this.cgroup;
    if (!readRecord(events, parseCgroupEvents, this.events)) return events.trouble === undefined;
    return this.events.populated;
  }

  /** Looks which interfaces it has in a network namespace of its own. */
  lookAtNics(): void {
    const { network } = this.sources;
    if (network.kind !== 'namespace' || !readRecord(network.netDev, parseNetDev, this.table)) return;
    const names = this.table.rows.map(({ name }) => name).filter((name) => GIVEN_NIC.test(name));
    this.nics = names.map((device) => ({ device, end: 'guest' }));
  }

  /** Looks where its volumes are mounted; without its first process that cannot be known. */
  lookAtMounts(): void {
    if (this.init !== undefined) this.mounts.look(this.init.pid, this.config?.volumes ?? ROOT_ONLY);
  }

  /** The path of its root, if that is a file system of its own that may be asked how full it is. */
  get rootPath(): string | undefined {
    return this.init === undefined || !this.mounts.hasOwnRoot
      ? undefined
      : this.paths.pid(this.init.pid, 'root/');
  }

  close(): void {
    this.init?.close();
    this.cgroup.close();
    this.mounts.close();
    const { network } = this.sources;
    if (network.kind === 'namespace') network.netDev.close();
  }
}
