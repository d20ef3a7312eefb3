import { QemuFinder } from '../../guests/qemu/qemu-finder.ts';
import { KernelFile, readOnce } from '../../kernel/base/kernel-file.ts';
import { defaultRoots, Paths } from '../../kernel/base/paths.ts';
import { readRecord } from '../../kernel/base/read.ts';
import { openFilesLimit } from '../../kernel/pid/proc-pid-limits.ts';
import { PidStat, parsePidStat } from '../../kernel/pid/proc-pid-stat.ts';
import type { Settings } from '../settings.ts';

/** LimitNOFILE= of the unit as it is shipped. */
export const limitOfService = 65536;
/** Files of a VM that stay open, beside one for each of its threads: three of its process, those of its cgroup. */
const FILES_OF_VM = 8;
/** Files of the host, outputs, monitors that are being visited. */
const OTHERS = 200;

/** How many descriptors this process may have; Infinity where there is no limit. */
export function ownLimit(): number {
  return openFilesLimit(readOnce(new Paths(defaultRoots).proc('self/limits')) ?? '') ?? Infinity;
}

/** Whether the VMs that run now take more descriptors than there may be. @param limit {@link ownLimit} or that of the service */
export function doubtsOfDescriptors({ roots }: Pick<Settings, 'roots'>, limit: number): readonly string[] {
  const paths = new Paths(roots);
  const vms = new QemuFinder(paths).find(performance.now() / 1000);
  const threads = vms.reduce((sum, { pid }) => sum + threadsOf(paths, pid), 0);
  const needed = vms.length * FILES_OF_VM + threads + OTHERS;
  if (needed <= limit) return [];
  return [
    `the VMs that run (${vms.length}, with ${threads} threads) take about ${needed} descriptors, and ${limit} are allowed (LimitNOFILE=): ` +
      'some values would be omitted; raise the limit',
  ];
}

function threadsOf(paths: Paths, pid: number): number {
  const file = new KernelFile(paths.pid(pid, 'stat'));
  const stat = new PidStat();
  const threads = readRecord(file, parsePidStat, stat) ? stat.threads : 0;
  file.close();
  return threads;
}
