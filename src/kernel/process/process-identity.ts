import { KernelFile, readOnce } from '../base/kernel-file.ts';
import { defaultRoots, Paths } from '../base/paths.ts';
import { PidStat, parsePidStat } from '../pid/proc-pid-stat.ts';
import { readRecord } from '../base/read.ts';

const paths = new Paths(defaultRoots);

/**
 * Identifies a running process of this machine uniquely, also over time: pid, start time and boot. Undefined when there is
 * no such process, or only a zombie.
 */
export function processIdentity(pid: number): string | undefined {
  const file = new KernelFile(paths.pid(pid, 'stat'));
  const stat = new PidStat();
  const found = readRecord(file, parsePidStat, stat);
  file.close();
  if (!found || stat.state === 'Z' || stat.state === 'X') return undefined;
  return `${pid} ${stat.startTime} ${readOnce(paths.proc('sys/kernel/random/boot_id')) ?? ''}`;
}
