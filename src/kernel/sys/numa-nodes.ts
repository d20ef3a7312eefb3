import { readdirSync } from 'node:fs';
import { readOnce } from '../base/kernel-file.ts';
import { isShortage } from '../base/open-files.ts';
import type { Paths } from '../base/paths.ts';
import { parseCpuList } from './cpu-list.ts';

/** The NUMA nodes of the host: memory and the CPUs close to it. */
export interface NumaNodes {
  /**
   * All that are online, in order, and the CPUs of each as the kernel lists them: '' for one that is memory alone (CXL).
   */
  readonly cpus: ReadonlyMap<number, string>;
  /** The node of each CPU that is online. */
  readonly ofCpu: ReadonlyMap<number, number>;
}

/**
 * Lists the nodes.
 * Source: Documentation/ABI/stable/sysfs-devices-node, /sys/devices/system/node.
 * @returns undefined where no descriptor was left to look
 */
export function readNumaNodes(paths: Paths): NumaNodes | undefined {
  try {
    const numbers = readdirSync(paths.nodes()).flatMap(
      (name) => /^node(\d+)$/.exec(name)?.slice(1).map(Number) ?? [],
    );
    const cpus = new Map<number, string>();
    const ofCpu = new Map<number, number>();
    for (const node of numbers.sort((one, other) => one - other)) {
      const list = readOnce(paths.nodes(`node${node}/cpulist`))?.trim() ?? '';
      cpus.set(node, list);
      for (const cpu of parseCpuList(list)) ofCpu.set(cpu, node);
    }
    return { cpus, ofCpu };
  } catch (error) {
    return isShortage(error) ? undefined : { cpus: new Map(), ofCpu: new Map() };
  }
}
