import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import { readOnce } from '../../kernel/base/kernel-file.ts';
import { refusedOpens } from '../../kernel/base/open-files.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { ZfsDatasets } from '../../kernel/sys/zfs/zfs-datasets.ts';
import type { Guest } from '../guest.ts';
import type { Inventory } from '../inventory.ts';
import type { FileSystemUse } from '../sources.ts';
import type { ContainerConfig } from '../proxmox/container-config.ts';
import { containerConfigs } from '../proxmox/container-config.ts';
import { PveConfigs } from '../proxmox/pve-configs.ts';
import { PveFiles } from '../proxmox/pve-files.ts';
import { listVeths } from '../proxmox/pve-taps.ts';
import { SlowFiles } from '../slow-files.ts';
import { Container } from './container.ts';
import type { ContainerPlace } from './container-places.ts';
import { listContainers } from './container-places.ts';
import { InitProcess } from './init-process.ts';

/** Seconds between two searches for containers and configurations. */
const SCAN_BEAT = 2;
/** Seconds between two checks of mounts and of how full the roots are. */
const ROOT_BEAT = 60;
/** ms that a file system may take to say how full it is. */
const ROOT_DEADLINE = 1000;
/** Seconds after which a container whose first process was not found is taken without it: it may just have started. */
const INIT_PATIENCE = 5;

/** The containers of this host: those of Proxmox VE, plain LXC, Incus and systemd-nspawn. */
export class ContainerInventory implements Inventory {
  readonly name = 'containers';
  /** Roots that did not say in time how full they are. */
  failures = 0;
  private readonly containers = new Map<string, Container>();
  /** Since when the first process of a container is searched for, by cgroup. */
  private sought = new Map<string, number>();
  private list: readonly Guest[] = [];
  private readonly configs: PveConfigs<ContainerConfig>;
  private readonly roots = new SlowFiles(ROOT_DEADLINE);
  private readonly datasets: ZfsDatasets;
  private scannedAt = -Infinity;
  private configuredAt = -Infinity;
  private rootsAt = -Infinity;
  private looking: Promise<void> | undefined;

  /** @param files those of the cluster file system, which readers of other guests' configurations share */
  constructor(
    private readonly paths: Paths,
    private readonly log: Logger,
    files = new PveFiles(paths),
  ) {
    this.configs = new PveConfigs(files, containerConfigs, log);
    this.datasets = new ZfsDatasets(paths);
  }

  guests(attend?: () => void): readonly Guest[] {
    const time = performance.now() / 1000;
    let changed = false;
    for (const container of this.containers.values()) {
      attend?.();
      if (container.refresh()) continue;
      this.drop(container);
      changed = true;
    }
    // One that was started again is there at once.
    if (changed || time - this.scannedAt >= SCAN_BEAT) this.scan(time, changed, attend);
    return this.list;
  }

  private scan(time: number, dropped: boolean, attend?: () => void): void {
    this.scannedAt = time;
    let changed = dropped;
    const sought = this.sought;
    this.sought = new Map();
    for (const place of listContainers(this.paths) ?? []) {
      attend?.();
      if (this.containers.has(place.group) || !this.isPopulated(place)) continue;
      const since = sought.get(place.group) ?? time;
      if (this.adopt(place, time - since)) changed = true;
      else this.sought.set(place.group, since);
    }
    this.lookAtNics();
    if (changed) this.list = [...this.containers.values()].sort(inOrder);
  }

  private isPopulated({ group }: ContainerPlace): boolean {
    return /^populated 1$/m.test(readOnce(this.paths.cgroup(group, 'cgroup.events')) ?? '');
  }

  /**
   * @param waited seconds for which its first process was looked for
   * @returns whether it was taken in
   */
  private adopt(place: ContainerPlace, waited: number): boolean {
    const refused = refusedOpens();
    const init = InitProcess.find(this.paths, place);
    if (init === undefined && waited < INIT_PATIENCE) return false;
    const container = new Container(this.paths, place, init, this.identityOf(place), this.datasets);
    // Files that are opened only once would be missing for ever.
    if (!container.refresh() || refusedOpens() !== refused) {
      container.close();
      return false;
    }
    this.containers.set(place.group, container);
    this.configuredAt = this.rootsAt = -Infinity;
    container.configure(this.configOf(container));
    container.lookAtMounts();
    this.log.debug(`container ${place.name} runs, init process ${init?.pid ?? 'unknown'}`);
    return true;
  }

  /** A cgroup that is made again has another identity. */
  private identityOf({ group }: ContainerPlace): string {
    const inode = statSync(this.paths.cgroup(group, ''), { throwIfNoEntry: false })?.ino;
    return `${group}:${inode}`;
  }

  private lookAtNics(): void {
    if (this.containers.size === 0) return;
    const veths = listVeths(this.paths);
    for (const container of this.containers.values()) {
      if (container.vmid === undefined) container.lookAtNics();
      else if (veths !== undefined) container.attach(veths.get(container.vmid) ?? []);
    }
  }

  private drop(container: Container): void {
    container.close();
    this.containers.delete(container.place.group);
    this.log.debug(`container ${container.place.name} stopped`);
  }

  /** Looks at configurations and roots, in the background; a call while one is under way joins it. */
  poll(): Promise<void> {
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async look(): Promise<void> {
    const time = performance.now() / 1000;
    if (time - this.configuredAt >= SCAN_BEAT) {
      this.configuredAt = time;
      await this.configure();
    }
    if (time - this.rootsAt < ROOT_BEAT) return;
    this.rootsAt = time;
    for (const container of [...this.containers.values()]) await this.lookAtRoot(container);
  }

  private async configure(): Promise<void> {
    const ofProxmox = [...this.containers.values()].filter(({ vmid }) => vmid !== undefined);
    if (ofProxmox.length === 0) return;
    await this.configs.refresh();
    for (const container of ofProxmox) container.configure(this.configOf(container));
  }

  private configOf({ vmid }: Container): ContainerConfig | undefined {
    return vmid === undefined ? undefined : this.configs.get(vmid);
  }

  /** Asks one file system at a time how full it is. While one hangs no other is asked, and the values of all are unknown. */
  private async lookAtRoot(container: Container): Promise<void> {
    // It may have ended while another one was asked.
    if (this.containers.get(container.place.group) !== container) return;
    container.lookAtMounts();
    const path = container.rootPath;
    container.root = path === undefined ? undefined : await this.useOf(path);
  }

  private async useOf(path: string): Promise<FileSystemUse | undefined> {
    try {
      const { bsize, blocks, bfree, bavail } = await this.roots.statfs(path);
      return { size: blocks * bsize, used: (blocks - bfree) * bsize, available: bavail * bsize };
    } catch {
      this.failures++;
      return undefined;
    }
  }

  close(): void {
    for (const container of this.containers.values()) container.close();
    this.containers.clear();
    this.list = [];
  }
}

/** Those of Proxmox VE by their numbers, then the others by their names. */
function inOrder(a: Container, b: Container): number {
  return Number(a.vmid ?? Infinity) - Number(b.vmid ?? Infinity) || (a.place.name < b.place.name ? -1 : 1);
}
