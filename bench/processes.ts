import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';

/** CPU time of all threads of the processes since they started, ms. One that has ended is left out. */
export function cpuOf(pids: readonly number[]): number {
  let ns = 0;
  for (const pid of pids) {
    for (const tid of entries(`/proc/${pid}/task`)) {
      try {
        ns += Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'latin1').split(' ')[0]);
      } catch {
        continue; // A thread that just ended.
      }
    }
  }
  return ns / 1e6;
}

/**
 * The environment of a service: the directory that systemd provides in /run, which is in memory. On a disk the report of
 * `proxtop status` alone costs a ms a second. Removed when the bench ends.
 */
export function serviceEnvironment(): NodeJS.ProcessEnv {
  const directory = mkdtempSync('/dev/shm/proxtop-bench-');
  process.on('exit', () => {
    rmSync(directory, { recursive: true, force: true });
  });
  return { ...process.env, RUNTIME_DIRECTORY: directory };
}

/** CPU that groups of processes use from now on. */
export class CpuMeter {
  private readonly started = performance.now();
  private readonly before: readonly number[];

  constructor(private readonly groups: readonly (readonly number[])[]) {
    this.before = groups.map(cpuOf);
  }

  /** ms of CPU a second of each group. */
  read(): number[] {
    const seconds = (performance.now() - this.started) / 1000;
    return this.groups.map((pids, index) => (cpuOf(pids) - (this.before[index] ?? NaN)) / seconds);
  }
}

/** Memory of a process, MiB. */
export function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;
}

/** Open descriptors of a process. */
export function descriptorsOf(pid: number): number {
  return entries(`/proc/${pid}/fd`).length;
}

/** The processes that one has started. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
