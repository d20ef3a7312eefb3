import { KernelFile } from '../../kernel/base/kernel-file.ts';
import type { Paths } from '../../kernel/base/paths.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { MemInfo } from '../../kernel/proc/proc-meminfo.ts';
import { parseNodeMemInfo } from '../../kernel/sys/node-meminfo.ts';
import type { NumaNodes } from '../../kernel/sys/numa-nodes.ts';
import { slots } from '../../catalogue/catalogue.ts';
import type { DeviceRows } from '../device-rows.ts';
import { SlowBeat } from '../slow-beat.ts';

const to = slots('mem', 'host_numa');

/** Seconds between two reads: the kernel adds up the counters of all its CPUs for each. */
const BEAT = 5;

/** Lines that are read; what follows the first two can be had, too. */
const LINES = ['MemTotal', 'MemFree', 'Active(file)', 'Inactive(file)', 'SReclaimable'] as const;

/** What was read last of the memory of one node. */
class NodeMemory {
  readonly info = new MemInfo(LINES);
  readonly file: KernelFile;

  constructor(paths: Paths, node: number) {
    this.file = new KernelFile(paths.nodes(`node${node}/meminfo`));
  }
}

/** Memory of each NUMA node of the host, where it has several. */
export class NodesMemory {
  private readonly beat = new SlowBeat(BEAT);
  private known = new Map<number, NodeMemory>();

  constructor(private readonly paths: Paths) {}

  /** @param time monotonic seconds */
  collect(time: number, nodes: NumaNodes, rows: DeviceRows): void {
    const isDue = this.beat.due(time);
    if (isDue) this.follow(nodes);
    for (const [node, { file, info }] of this.known) {
      if (isDue && !readRecord(file, parseNodeMemInfo, info)) info.values.fill(NaN);
      const { values, texts } = rows.add(String(node));
      const [total = NaN, free = NaN, ...cached] = info.values;
      values[to.numa_total] = total;
      values[to.numa_free] = free;
      values[to.numa_available] = cached.reduce((sum, bytes) => sum + bytes, free);
      // A node that is memory alone has none.
      texts[to.numa_cpus] = nodes.cpus.get(node) || undefined;
    }
  }

  /** Keeps the files of the nodes that there are now. */
  private follow({ cpus }: NumaNodes): void {
    const before = this.known;
    this.known = new Map();
    if (cpus.size > 1)
      for (const node of cpus.keys())
        this.known.set(node, before.get(node) ?? new NodeMemory(this.paths, node));
    for (const [node, { file }] of before) if (!this.known.has(node)) file.close();
  }

  close(): void {
    for (const { file } of this.known.values()) file.close();
  }
}
