const OPEN_FILES = /^Max open files +(\d+)/m;

/**
 * How many descriptors a process may have, its soft limit, from /proc/<pid>/limits (proc(5)), such as
 *
 *     Limit                     Soft Limit           Hard Limit           Units
 *     Max open files            1024                 524288               files
 *
 * @returns undefined where there is no such line, or no limit
 */
export function openFilesLimit(text: string): number | undefined {
  const limit = OPEN_FILES.exec(text)?.[1];
  return limit === undefined ? undefined : Number(limit);
}
