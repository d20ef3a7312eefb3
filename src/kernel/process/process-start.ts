import { KernelFile } from '../base/kernel-file.ts';
import type { Paths } from '../base/paths.ts';
import { readValue } from '../base/read.ts';
import { TICKS_PER_S } from '../base/ticks.ts';
import { parseUptime } from '../proc/proc-uptime.ts';
import type { PidStat } from '../pid/proc-pid-stat.ts';

/** When a process started, in monotonic seconds (below 0: before the clock began); undefined if not known. */
export function processStart(paths: Paths, { startTime }: PidStat): number | undefined {
  const file = new KernelFile(paths.proc('uptime'));
  const sinceBoot = readValue(file, parseUptime);
  file.close();
  const age = sinceBoot - startTime / TICKS_PER_S;
  return age >= 0 ? performance.now() / 1000 - age : undefined;
}
