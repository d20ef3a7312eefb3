import { KernelFile } from '../base/kernel-file.ts';
import type { Paths } from '../base/paths.ts';

/** The files of one cgroup v2 that tell what its processes get, opened once. Which of them exist depends on its controllers. */
export class Cgroup {
  readonly cpuStat: KernelFile;
  readonly memoryCurrent: KernelFile;
  readonly memorySwap: KernelFile;
  readonly cpuPressure: KernelFile;
  readonly ioPressure: KernelFile;
  readonly memoryPressure: KernelFile;

  /** @param path the cgroup's path as /proc/<pid>/cgroup gives it */
  constructor(paths: Paths, path: string) {
    this.cpuStat = new KernelFile(paths.cgroup(path, 'cpu.stat'));
    this.memoryCurrent = new KernelFile(paths.cgroup(path, 'memory.current'));
    this.memorySwap = new KernelFile(paths.cgroup(path, 'memory.swap.current'));
    this.cpuPressure = new KernelFile(paths.cgroup(path, 'cpu.pressure'));
    this.ioPressure = new KernelFile(paths.cgroup(path, 'io.pressure'));
    this.memoryPressure = new KernelFile(paths.cgroup(path, 'memory.pressure'));
  }

  close(): void {
    for (const file of [
      this.cpuStat,
      this.memoryCurrent,
      this.memorySwap,
      this.cpuPressure,
      this.ioPressure,
      this.memoryPressure,
    ]) {
      file.close();
    }
  }
}
