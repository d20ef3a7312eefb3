import { readdirSync } from 'node:fs';
import { readOnce } from '../base/kernel-file.ts';
import { isShortage } from '../base/open-files.ts';
import type { Paths } from '../base/paths.ts';
import { parseCpuList } from './cpu-list.ts';

/** The NUMA nodes of the host: memory and the CPUs close to it. */
export interface NumaNodes {
  /** All that are online, including one with memory only (CXL). */
  readonly count: number;
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
    const names = readdirSync(paths.nodes()).filter((name) => /^node\d+$/.test(name));
    const ofCpu = new Map<number, number>();
    for (const name of names) {
      const node = Number(name.slice('node'.length));
      for (const cpu of parseCpuList(readOnce(paths.nodes(`${name}/cpulist`)) ?? '')) ofCpu.set(cpu, node);
    }
    return { count: names.length, ofCpu };
  } catch (error) {
    return isShortage(error) ? undefined : { count: 0, ofCpu: new Map() };
  }
}
