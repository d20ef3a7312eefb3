import type { Metric } from '../../catalogue/catalogue.ts';
import { slots } from '../../catalogue/catalogue.ts';
import { entityOf } from '../../catalogue/entities.ts';
import type { Sample, GuestRows } from '../../sampling/sample.ts';

/**
 * When what a row tells began at 0, ms since 1970; undefined where that is not known. `sums` are counts that we add up since we
 * first saw what they are about; `readings` are those of the kernel and of QEMU, since the process or the host started.
 */
export interface StartTimes {
  readonly sums: number | undefined;
  readonly readings: number | undefined;
}

/** Collectors that add up, in the row of a host or guest, what its parts grew by: they come and go. */
const adding: readonly string[] = ['cpu', 'disk', 'net', 'energy'];
/** Readings among them all the same, and of a container. */
const readings: Readonly<Record<string, readonly string[]>> = {
  qemu: ['cpu_throttled', 'disk_blkio_delay'],
  container: ['cpu_throttled', 'disk_blkio_delay', 'cpu_total'],
};
/** What only of a container is added up. */
const containerSums: readonly string[] = ['io_read_bytes', 'io_write_bytes'];
/** Parts whose counters are added up. */
const addedParts: readonly string[] = ['host_pool', 'host_zone'];

/** What the start of a counter is; undefined where nobody knows: the tap of a VM may be older than its process. */
export function startKind(metric: Metric, isContainer: boolean): keyof StartTimes | undefined {
  if (metric.scope === 'vm_nic' && !isContainer) return undefined;
  return isSum(metric, isContainer) ? 'sums' : 'readings';
}

/** Whether a counter is a sum that we add up, and no reading. */
function isSum({ scope, collector, id }: Metric, isContainer: boolean): boolean {
  const { parent } = entityOf(scope);
  if (collector === '-') return true;
  if (parent !== undefined) return addedParts.includes(scope);
  if (isContainer && containerSums.includes(id)) return true;
  return adding.includes(collector) && readings[isContainer ? 'container' : 'qemu']?.includes(id) !== true;
}

const { host_uptime: UPTIME } = slots('host', 'host');

/** Remembers when the host started, as a start time is the same in each sample while the uptime is rounded. */
export class HostStart {
  private boot: number | undefined;

  /** The start times of the host's rows. */
  of({ time, host: { row }, began }: Sample): StartTimes {
    const uptime = row.values[UPTIME] ?? NaN;
    if (!Number.isNaN(uptime)) this.boot ??= Math.round(time - uptime * 1000);
    return { sums: began?.run, readings: began === undefined ? undefined : this.boot };
  }
}

/** The start times of a guest's rows. */
export function guestStart({ began }: GuestRows): StartTimes {
  return { sums: began?.seen, readings: began?.process };
}

/** Those of proxtop's own. */
export function agentStart({ began }: Sample): StartTimes {
  return { sums: began?.program, readings: undefined };
}
