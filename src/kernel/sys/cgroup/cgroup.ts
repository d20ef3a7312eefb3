import { KernelFile } from '../../base/kernel-file.ts';
import type { Paths } from '../../base/paths.ts';

/** Sizes of huge pages on x86 and ARM, as the controller names them. */
const hugePages = ['2MB', '1GB'];

/** The files of one cgroup v2 that tell what its processes get, opened once. Which of them exist depends on its controllers. */
export class Cgroup {
  readonly events: KernelFile;
  readonly cpuStat: KernelFile;
  readonly cpuMax: KernelFile;
  readonly cpuWeight: KernelFile;
  readonly cpuset: KernelFile;
  readonly memoryCurrent: KernelFile;
  readonly memoryMax: KernelFile;
  readonly memoryStat: KernelFile;
  readonly memoryEvents: KernelFile;
  readonly memorySwap: KernelFile;
  readonly memoryNuma: KernelFile;
  /** For each size that huge pages may have. */
  readonly hugetlbNuma: readonly KernelFile[];
  readonly ioStat: KernelFile;
  readonly pids: KernelFile;
  readonly cpuPressure: KernelFile;
  readonly ioPressure: KernelFile;
  readonly memoryPressure: KernelFile;
  private readonly files: KernelFile[] = [];

  /** @param path the cgroup's path as /proc/<pid>/cgroup gives it */
  constructor(
    paths: Paths,
    readonly path: string,
  ) {
    const file = (name: string): KernelFile => {
      const made = new KernelFile(paths.cgroup(path, name));
      this.files.push(made);
      return made;
    };
    this.events = file('cgroup.events');
    this.cpuStat = file('cpu.stat');
    this.cpuMax = file('cpu.max');
    this.cpuWeight = file('cpu.weight');
    this.cpuset = file('cpuset.cpus.effective');
    this.memoryCurrent = file('memory.current');
    this.memoryMax = file('memory.max');
    this.memoryStat = file('memory.stat');
    this.memoryEvents = file('memory.events');
    this.memorySwap = file('memory.swap.current');
    this.memoryNuma = file('memory.numa_stat');
    this.hugetlbNuma = hugePages.map((size) => file(`hugetlb.${size}.numa_stat`));
    this.ioStat = file('io.stat');
    this.pids = file('pids.current');
    this.cpuPressure = file('cpu.pressure');
    this.ioPressure = file('io.pressure');
    this.memoryPressure = file('memory.pressure');
  }

  close(): void {
    for (const file of this.files) file.close();
  }
}
