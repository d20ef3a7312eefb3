import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { createCollectors } from '../collectors/index.ts';
import { allOutputs, measured } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { AwaitedInventory } from '../guests/awaited.ts';
import { detectInventory, lookedFor } from '../guests/detect.ts';
import type { Attention } from '../guests/attention.ts';
import { ContainerInventory } from '../guests/containers/containers.ts';
import type { Inventory } from '../guests/inventory.ts';
import { Node } from '../guests/node.ts';
import { PveFiles } from '../guests/proxmox/pve-files.ts';
import { kvmTrouble } from '../guests/kvm.ts';
import { hostNameTrouble } from '../kernel/base/namespaces.ts';
import { nowhere, Paths } from '../kernel/base/paths.ts';
import { cgroupTrouble } from '../kernel/pid/proc-pid-cgroup.ts';
import { Attempts } from '../base/pacing/attempts.ts';
import { SampleLoop } from '../sampling/loop.ts';
import { Sampler } from '../sampling/sampler.ts';
import type { SinceStart } from '../sampling/since-start.ts';
import type { Consumer } from './consumer.ts';

/** There is no hypervisor here, and somebody at a terminal who can say where to look. */
class NoHypervisorError extends Error {
  override readonly name = 'NoHypervisorError';
}

/**
 * Finds the hypervisor and prepares to sample it. Where there is none the host alone is sampled, until there is one.
 *
 * @param consumer its collectors run after the measuring ones; for a watcher everything is measured
 * @param since goes on counting
 * @throws NoHypervisorError
 */
export async function startSampling(
  settings: Settings,
  { collectors: derived, watcher, others }: Pick<Consumer, 'collectors' | 'watcher' | 'others'>,
  log: Logger,
  since: SinceStart,
): Promise<SampleLoop> {
  const paths = new Paths(settings.roots);
  if (others?.withThisHost === false) {
    const nothing = new Node([], new Attempts(log, since));
    const sampler = new Sampler(paths, nothing, [], log, since, watcher?.attend);
    return new SampleLoop(sampler, nothing, settings.frequency, log);
  }
  const guests = await findGuests(settings, watcher?.attention, paths, log);
  const node = new Node(guests, new Attempts(log, since), () => kvmTrouble(paths));
  tellTroubles(paths, log);
  const { netdev, storedev, nicRows, diskRows } = settings;
  const watched = watcher && {
    verbose: true,
    devices: true,
    threads: { has: (key: string) => watcher.attention.expanded.has(key) },
  };
  const wanted = watched ?? wantedRows(settings);
  const options = { wanted, netdev, storedev, nicRows, diskRows };
  const collectors = createCollectors(measured(settings), paths, options);
  const sampler = new Sampler(paths, node, [...collectors, ...derived], log, since, watcher?.attend);
  return new SampleLoop(sampler, node, settings.frequency, log);
}

/** What would be missing of the host and its VMs without a word. */
function tellTroubles(paths: Paths, log: Logger): void {
  if (paths.roots.cgroupfs !== nowhere.cgroupfs) {
    const trouble = cgroupTrouble(paths);
    if (trouble !== undefined) log.warn(`values from the cgroups of VMs are omitted: ${trouble}`);
  }
  const trouble = hostNameTrouble(paths);
  if (trouble !== undefined) log.warn(`the name of the host is omitted: ${trouble}`);
}

/** Whether the same is sampled in the same way. */
export function samplesAlike(one: Settings, other: Settings): boolean {
  const relevant = (settings: Settings): unknown => ({
    ...settings,
    outputs: wantedRows(settings),
    record: undefined,
    history: undefined,
    measured: measured(settings),
    thresholds: undefined,
    runs: undefined,
  });
  return isDeepStrictEqual(relevant(one), relevant(other));
}

function wantedRows(settings: Settings): { readonly verbose: boolean; readonly devices: boolean } {
  if (settings.history !== undefined) return { verbose: true, devices: true };
  const outputs = allOutputs(settings);
  return {
    verbose: outputs.some(({ print }) => print.verbose),
    devices: outputs.some(({ print }) => print.devices),
  };
}

/** The inventories of the guests that are wanted: of VMs, of containers. */
async function findGuests(
  settings: Settings,
  watched: Attention | undefined,
  paths: Paths,
  log: Logger,
): Promise<Inventory[]> {
  const files = new PveFiles(paths);
  // Of a host elsewhere nothing tells of containers but its own cgroups.
  const isHere = settings.guests !== 'vms' && paths.roots.cgroupfs !== nowhere.cgroupfs;
  const containers = isHere ? [new ContainerInventory(paths, log, files)] : [];
  if (settings.guests === 'containers') return containers;
  const hasContainers = containers.some((inventory) => inventory.guests().length > 0);
  try {
    return [await findVms(settings, watched, paths, files, hasContainers, log), ...containers];
  } catch (error) {
    for (const inventory of containers) inventory.close();
    throw error;
  }
}

/**
 * The VMs of the hypervisor that is found, or those of the one that will be.
 * @param hasContainers whether there is something to look at without them
 */
async function findVms(
  settings: Settings,
  watched: Attention | undefined,
  paths: Paths,
  files: PveFiles,
  hasContainers: boolean,
  log: Logger,
): Promise<Inventory> {
  const { detailInterval, frequency, latencyHistogram } = settings;
  const attention = detailInterval === undefined ? watched : undefined;
  const beat = { detailInterval, frequency, attention, latencyHistogram };
  const detect = () => detectInventory(settings, paths, beat, log, files);
  const found = await detect();
  if (found !== undefined) return found;
  const missing = `no hypervisor found: looked for ${lookedFor(settings, paths)}`;
  if (process.stderr.isTTY && !hasContainers) throw new NoHypervisorError(missing);
  log.warn(`${missing}; only the host is measured; proxtop looks again every 30 s`);
  const look = async (): Promise<Inventory | undefined> => {
    try {
      const late = await detect();
      if (late !== undefined) log.info('found a hypervisor');
      return late;
    } catch (error) {
      log.error(error as Error, 'looking for a hypervisor failed');
      throw error;
    }
  };
  return new AwaitedInventory(look, hasContainers ? undefined : missing);
}
