/** More than any kernel has (NR_CPUS); bounds the work for a list that claims more. */
const MOST_CPUS = 65536;

/** Reads a list of CPUs as the kernel writes it, such as `0-3,8` (Documentation/admin-guide/kernel-parameters.rst). */
export function parseCpuList(text: string): ReadonlySet<number> {
  const cpus = new Set<number>();
  let left = MOST_CPUS;
  for (const [, first, last = first] of text.matchAll(/(\d+)(?:-(\d+))?/g))
    for (
      let cpu = Number(first), end = Math.min(Number(last), MOST_CPUS);
      cpu <= end && left > 0;
      cpu++, left--
    )
      cpus.add(cpu);
  return cpus;
}

/** Writes a list of CPUs as the kernel does. */
export function cpuListText(cpus: ReadonlySet<number>): string {
  const ranges: { readonly first: number; last: number }[] = [];
  for (const cpu of [...cpus].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range?.last === cpu - 1) range.last = cpu;
    else ranges.push({ first: cpu, last: cpu });
  }
  return ranges.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}
