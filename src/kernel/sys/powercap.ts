import { readdirSync } from 'node:fs';
import { KernelFile, readOnce } from '../base/kernel-file.ts';
import { parseNumber, parseNumberAt } from '../base/number-file.ts';
import { isShortage } from '../base/open-files.ts';
import type { Paths } from '../base/paths.ts';
import { readValue } from '../base/read.ts';

/** A part of the machine whose energy its CPU counts (RAPL): a package, or the memory of one. */
export class PowerZone {
  private readonly file: KernelFile;

  /**
   * @param name such as `package-0`, `package-0/dram`
   * @param range J after which the counter begins at 0 again; NaN where that is not known
   */
  constructor(
    readonly name: string,
    path: string,
    private readonly range: number,
  ) {
    this.file = new KernelFile(path);
  }

  /** J that were counted; NaN where the file cannot be read. Since 2020 only root may (CVE-2020-8694). */
  read(): number {
    return readValue(this.file, parseNumberAt) / UJ_PER_J;
  }

  /** J between two readings less than a round of the counter apart; NaN where not known. */
  grown(before: number, after: number): number {
    const grown = after - before;
    if (!(grown < 0)) return grown;
    return grown + this.range >= 0 ? grown + this.range : NaN;
  }

  close(): void {
    this.file.close();
  }
}

const UJ_PER_J = 1e6;
/**
 * Zones of Intel and AMD CPUs (drivers/powercap/intel_rapl_msr.c has both). Those of intel-rapl-mmio are the same packages
 * once more.
 */
const ZONE = /^intel-rapl:\d+(?::\d+)?$/;
/** On CPUs with several dies each has its counter. */
const PACKAGE = /^package-\d+(?:-die-\d+)?$/;

/**
 * The zones whose sum is what the CPUs and their memory take: packages, and `dram` where it is counted by itself. `core` and
 * `uncore` are parts of a package, `psys` holds it.
 *
 * Source: Documentation/power/powercap/powercap.rst, /sys/class/powercap.
 * @returns undefined where no descriptor was left to look
 */
export function findPowerZones(paths: Paths): readonly PowerZone[] | undefined {
  try {
    const entries = readdirSync(paths.powercap()).filter((entry) => ZONE.test(entry));
    return entries.sort().flatMap((entry) => zoneOf(paths, entry) ?? []);
  } catch (error) {
    return isShortage(error) ? undefined : [];
  }
}

function zoneOf(paths: Paths, entry: string): PowerZone | undefined {
  const nameOf = (zone: string): string => readOnce(paths.powercap(zone, 'name')) ?? '';
  const own = nameOf(entry);
  const isMemory = own === 'dram';
  const owner = isMemory ? nameOf(entry.replace(/:\d+$/, '')) : own;
  if (!PACKAGE.test(owner)) return undefined;
  const range = parseNumber(readOnce(paths.powercap(entry, 'max_energy_range_uj')));
  return new PowerZone(
    isMemory ? `${owner}/dram` : owner,
    paths.powercap(entry, 'energy_uj'),
    range > 0 ? range / UJ_PER_J : NaN,
  );
}
