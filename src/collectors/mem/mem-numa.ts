import { readRecord } from '../../kernel/base/read.ts';
import type { Process } from '../../kernel/process/process.ts';
import type { Cgroup } from '../../kernel/sys/cgroup/cgroup.ts';
import { parseHugetlbNumaStat, parseMemoryNumaStat } from '../../kernel/sys/cgroup/cgroup-numa-stat.ts';
import type { NodeBytes } from '../../kernel/sys/cgroup/cgroup-numa-stat.ts';
import { parseCpuList } from '../../kernel/sys/cpu-list.ts';
import type { NumaNodes } from '../../kernel/sys/numa-nodes.ts';
import { SlowBeat } from '../slow-beat.ts';

/** Seconds between two checks: a file for each vCPU, twice, and memory moves slowly. */
const BEAT = 60;

/**
 * Share of the memory on nodes that the vCPUs run on, in percent. For vCPUs pinned to some nodes, all memory on these is
 * local. For others, memory on a node is local in proportion to how much they ran there.
 * @param memory bytes on each node
 * @param runs how long the vCPUs ran on each node, in any unit
 * @param pinned the nodes that they may run on; undefined where these are all
 * @returns NaN where there is no memory, or nothing is known of where they ran
 */
export function locality(
  memory: NodeBytes,
  runs: ReadonlyMap<number, number>,
  pinned: ReadonlySet<number> | undefined,
): number {
  let ran = 0;
  for (const time of runs.values()) ran += time;
  let [total, near] = [0, 0];
  for (const [node, bytes = 0] of memory.entries()) {
    total += bytes;
    near += bytes * (pinned === undefined ? (runs.get(node) ?? 0) / ran : Number(pinned.has(node)));
  }
  return (near / total) * 100;
}

/** How much of one VM's memory is local to its vCPUs. numa_maps and smaps are not read, because that delays the VM. */
export class NumaLocality {
  private readonly beat = new SlowBeat(BEAT);
  /** Percent; NaN where not known. */
  private percent = NaN;
  /** Ticks that each vCPU had run, by its thread. */
  private ran: ReadonlyMap<number, number> = new Map();

  constructor(
    private readonly qemu: Process,
    private readonly cgroup: Cgroup | undefined,
  ) {}

  /**
   * @param time monotonic seconds
   * @param hugetlb bytes of the process in huge pages of hugetlbfs; NaN where there are none
   */
  look(time: number, nodes: NumaNodes, hugetlb: number): number {
    if (nodes.cpus.size < 2 || this.cgroup === undefined) return NaN;
    if (!this.beat.due(time)) return this.percent;
    const memory: NodeBytes = [];
    const isKnown = readMemory(this.cgroup, memory, hugetlb > 0);
    this.percent = isKnown ? locality(memory, this.runs(nodes), this.pinned(nodes)) : NaN;
    return this.percent;
  }

  /** Ticks that vCPUs ran since the last look, by the node that each ran on last; where none ran all count alike. */
  private runs({ ofCpu }: NumaNodes): ReadonlyMap<number, number> {
    const before = this.ran;
    const placed = this.qemu.vcpuRuns();
    this.ran = new Map(placed.map(({ tid, ticks }) => [tid, ticks]));
    const grown = placed.map(({ tid, ticks, cpu }) => ({ cpu, time: ticks - (before.get(tid) ?? 0) }));
    const isIdle = grown.every(({ time }) => !(time > 0));
    const runs = new Map<number, number>();
    for (const { cpu, time } of grown) {
      const node = ofCpu.get(cpu);
      if (node !== undefined) runs.set(node, (runs.get(node) ?? 0) + (isIdle ? 1 : Math.max(0, time)));
    }
    return runs;
  }

  /** The nodes that the vCPUs may run on, where these are not all that have CPUs. */
  private pinned({ ofCpu }: NumaNodes): ReadonlySet<number> | undefined {
    const cpus = parseCpuList(this.qemu.vcpuAffinity() ?? '');
    const allowed = new Set([...cpus].flatMap((cpu) => ofCpu.get(cpu) ?? []));
    return allowed.size === 0 || allowed.size === new Set(ofCpu.values()).size ? undefined : allowed;
  }
}

/** Adds up what the cgroup tells. @param isHuge whether there are huge pages, which must be told too */
function readMemory(cgroup: Cgroup, into: NodeBytes, isHuge: boolean): boolean {
  if (!readRecord(cgroup.memoryNuma, parseMemoryNumaStat, into)) return false;
  if (!isHuge) return true;
  const told = cgroup.hugetlbNuma.map((file) => readRecord(file, parseHugetlbNumaStat, into));
  return told.some(Boolean);
}
