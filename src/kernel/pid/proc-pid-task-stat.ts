/** Where a thread ran last, and how long it ran in all. */
export interface TaskRun {
  /** The CPU. */
  readonly cpu: number;
  /** 1/100 s, since it was started. */
  readonly ticks: number;
}

/** Columns behind the name, from 0: state is the first. */
const [UTIME, STIME, PROCESSOR] = [11, 12, 36] as const;

/**
 * Reads /proc/<pid>/task/<tid>/stat (Documentation/filesystems/proc.rst, table 1-4), of which the name in parentheses may hold
 * anything.
 * @returns undefined where it is not that
 */
export function parseTaskRun(text: string): TaskRun | undefined {
  const columns = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  const [cpu, ticks] = [Number(columns[PROCESSOR]), Number(columns[UTIME]) + Number(columns[STIME])];
  return Number.isInteger(cpu) && Number.isInteger(ticks) ? { cpu, ticks } : undefined;
}
