/**
 * Parses /proc/cpuinfo, lines such as `cpu MHz		: 2899.886`.
 * @returns the mean clock of the CPUs in MHz; NaN where the file does not tell it, as on ARM
 */
export function parseCpuinfo(text: string): number {
  let sum = 0;
  let count = 0;
  // The newline makes sure that the number is whole.
  for (const [, mhz] of text.matchAll(/^cpu MHz\s*:\s*([\d.]+)\n/gm)) {
    sum += Number(mhz);
    count++;
  }
  return sum / count;
}
