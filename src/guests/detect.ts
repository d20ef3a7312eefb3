import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Paths } from '../kernel/base/paths.ts';
import { certificateDirectory, nowhere } from '../kernel/base/paths.ts';
import { ConnectionError } from '../libvirt/error.ts';
import type { Directories } from '../libvirt/transport.ts';
import type { Beat, Inventory } from './inventory.ts';
import type { PveFiles } from './proxmox/pve-files.ts';
import { ProxmoxInventory } from './proxmox/proxmox.ts';
import { QemuInventory } from './qemu/qemu.ts';
import { QemuFinder } from './qemu/qemu-finder.ts';

/** ms that libvirt has to answer when it is looked for. */
const ANSWER_DEADLINE = 2000;

/** Which hypervisor to look for, and how to reach it. */
export interface Search {
  readonly connector: 'auto' | 'proxmox' | 'libvirt' | 'qemu';
  /** libvirt's URI. */
  readonly connection: string;
}

/** What a search looks for, in words. */
export function lookedFor({ connector, connection }: Search, paths: Paths): string {
  const places = {
    proxmox: `Proxmox VE (${paths.roots.pvedir} or ${paths.qemuServer})`,
    libvirt: `libvirt (${connection})`,
    qemu: `QEMU processes (in ${paths.roots.procfs})`,
  };
  return connector === 'auto' ? Object.values(places).join(', ') : places[connector];
}

/**
 * The inventory for the hypervisor that is there now; undefined if there is none.
 * @param files those of the cluster file system, where others read it too
 */
export async function detectInventory(
  search: Search,
  paths: Paths,
  beat: Beat,
  log: Logger,
  files?: PveFiles,
): Promise<Inventory | undefined> {
  const { connector } = search;
  const auto = connector === 'auto';
  if ((auto || connector === 'proxmox') && (existsSync(paths.roots.pvedir) || existsSync(paths.qemuServer))) {
    return new ProxmoxInventory(paths, beat, log, files);
  }
  // A hypervisor requested by name is waited for; it reports errors itself.
  if (connector === 'libvirt' || (auto && (await libvirtAnswers(search, paths)))) {
    if (beat.latencyHistogram === true)
      log.warn('latency_histogram has no effect: the read-only connection to libvirt cannot set histograms');
    const { LibvirtInventory } = await import('./libvirt/libvirt.ts');
    const local = paths.roots.procfs !== nowhere.procfs;
    return new LibvirtInventory(search.connection, directories(paths), paths, beat, log, local);
  }
  const qemu = connector === 'qemu' || (auto && new QemuFinder(paths).find(0).length > 0);
  return qemu ? new QemuInventory(paths, beat, log) : undefined;
}

/** Whether a libvirt daemon is there, even if it is too busy to answer now. */
async function libvirtAnswers({ connection }: Search, paths: Paths): Promise<boolean> {
  try {
    const { connectHypervisor } = await import('../libvirt/hypervisor.ts');
    const signal = AbortSignal.timeout(ANSWER_DEADLINE);
    (await connectHypervisor(connection, directories(paths), ANSWER_DEADLINE, signal)).close();
    return true;
  } catch (error) {
    return error instanceof ConnectionError && error.trouble === 'timeout';
  }
}

function directories(paths: Paths): Directories {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  return {
    sockets: paths.libvirt,
    sessionSockets: runtime === undefined ? undefined : join(runtime, 'libvirt'),
    certificates: certificateDirectory,
    userCertificates: process.getuid?.() === 0 ? undefined : join(homedir(), '.pki/libvirt'),
  };
}
